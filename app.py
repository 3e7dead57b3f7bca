"""The WSGI entry: ``flask --app app …`` and ``gunicorn app:app``."""

from dotenv import load_dotenv

from lotus_web import create_app

load_dotenv()
app = create_app()
