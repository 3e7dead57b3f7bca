"""The models of what the ``/api/v1`` routes give."""
