FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/lotus

# The lock first: a change of code alone does not install anything again.
COPY requirements/core.lock requirements/core.lock
RUN pip install --require-hashes --no-deps -r requirements/core.lock

COPY . .
RUN pip install --no-deps --no-build-isolation -e . && pip check \
    && useradd --system --uid 10001 --home-dir /srv/lotus lotus \
    && install -d -o lotus -g lotus -m 0700 instance keys public-keys
# By number, so that an orchestrator can see that it is not root. The code belongs to root: the process cannot change it.
USER 10001

ENV LOTUS_ENV=production LOTUS_BIND=0.0.0.0:8000 LOTUS_JOBS=external
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["gunicorn"]
