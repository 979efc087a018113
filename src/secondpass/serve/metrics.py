"""What Prometheus reads of the server, beside the metrics of its models."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["ServerMetrics"]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class ServerMetrics:
    """Requests, how long they took, how many are under way, and the registry that models count in as well.

    - ``secondpass_http_requests_total``, with ``path`` (of the endpoint) and ``status``;
    - ``secondpass_http_seconds``, a histogram from the first byte to the answer, with ``path``;
    - ``secondpass_http_in_flight``, requests to models that are under way.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "secondpass_http_requests", "Requests, by status.", ("path", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "secondpass_http_seconds", "How long requests took.", ("path",), buckets=_SECONDS, registry=self.registry
        )
        self.in_flight = Gauge("secondpass_http_in_flight", "Requests that are under way.", registry=self.registry)

    def count(self, path: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def text(self) -> str:
        """Return everything in the text format that Prometheus reads."""
        return generate_latest(self.registry).decode()
