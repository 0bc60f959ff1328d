# tracespoold in a container: docker build -t tracespool:0.1.0 .
#
# It runs as user 10001 and writes nowhere but to its volume, so it works with a
# read-only root file system. docs/install.md tells how it is run;
# tests/package/20-container.py does, step by step, what stands here.

FROM debian:12 AS build
# For the same bits again: docker build --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
ARG SOURCE_DATE_EPOCH
WORKDIR /src
# First what changes seldom.
COPY scripts scripts
COPY packaging/build packaging/build
RUN packaging/build --packages
COPY . .
RUN packaging/build && mv build/package/tracespool_*.deb /tracespool.deb

FROM debian:12-slim
LABEL org.opencontainers.image.title="tracespool" \
      org.opencontainers.image.description="Durable spool-and-forward receiver for OpenTelemetry traces" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /tracespool.deb /tmp/tracespool.deb
# The user comes first: the package takes it as it is, with its fixed number.
RUN groupadd --gid 10001 tracespool && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/tracespool --shell /usr/sbin/nologin \
        tracespool && \
    apt-get update && \
    apt-get install -y --no-install-recommends systemd-standalone-sysusers /tmp/tracespool.deb && \
    rm -rf /var/lib/apt/lists/* /tmp/tracespool.deb && \
    install -d -o tracespool -g tracespool -m 0700 /var/lib/tracespool
COPY deploy/docker/tracespool.conf /etc/tracespool/tracespool.conf
COPY deploy/docker/healthcheck /usr/local/bin/healthcheck

# The MongoDB driver's counters in /dev/shm: a full one would be a SIGBUS.
ENV MONGOC_DISABLE_SHM=1
USER 10001:10001
VOLUME /var/lib/tracespool
EXPOSE 4317 4318 9464
STOPSIGNAL SIGTERM
# The first start allocates the spool.
HEALTHCHECK --start-period=10m --interval=10s --timeout=5s --retries=6 CMD ["/usr/local/bin/healthcheck"]
ENTRYPOINT ["/usr/sbin/tracespoold"]
