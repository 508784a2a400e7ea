# Workers and Scrapyd for a PostgreSQL database: docs/containers.md
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
# As `make setup` does it, but without the packages of development. pip stays outside, because nothing needs it later.
RUN python -m venv --without-pip /opt/soundgraph
COPY requirements-server.txt ./
RUN pip --python /opt/soundgraph install --require-hashes --requirement requirements-server.txt
COPY pyproject.toml setup.py README.md LICENSE ./
COPY configs configs
COPY pipelines pipelines
COPY sgr_spiders sgr_spiders
# The build uses the setuptools among these packages. The packages' own tests are a tenth of their size.
RUN pip --python /opt/soundgraph install --no-index --no-deps --no-build-isolation . \
    && find /opt/soundgraph -type d -name tests -prune -exec rm -r {} +

FROM python:${PYTHON}-slim-bookworm
RUN useradd --uid 10001 --user-group --home-dir /srv/soundgraph --shell /usr/sbin/nologin soundgraph \
    && install --directory --owner=soundgraph --group=soundgraph --mode=700 /srv/soundgraph /srv/soundgraph/scrapyd
COPY --from=build /opt/soundgraph /opt/soundgraph
COPY configs/scrapyd.conf /etc/scrapyd/
COPY docs/examples/scrapyd-image.conf /etc/scrapyd/conf.d/
COPY --chmod=755 docs/examples/with_secrets.sh /usr/local/bin/with_secrets
COPY --chmod=755 docs/examples/worker.sh /usr/local/bin/worker
ENV PATH=/opt/soundgraph/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SCRAPY_SETTINGS_MODULE=sgr_spiders.settings \
    XDG_CACHE_HOME=/srv/soundgraph/cache \
    XDG_DATA_HOME=/srv/soundgraph/share
USER 10001
WORKDIR /srv/soundgraph
VOLUME /srv/soundgraph
ENTRYPOINT ["with_secrets"]
CMD ["worker"]
