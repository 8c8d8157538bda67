"""The Grafana dashboards, made in code: ``python -m dashboards`` writes packaging/grafana/*.json."""
