"""The app of ``app.py`` in a process that tests start: it waits for the store as long as they do."""

from importlib import import_module

from tests.servers.patience import be_patient

be_patient()
app = import_module("app").app
