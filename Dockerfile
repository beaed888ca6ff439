# Agent, server and ctl as an image. Build it in a checkout that is installed and built (npm install && npm run build):
#   docker build -t fairlead .            on another base: --build-arg BASE=IMAGE, any Debian 12 or newer
# Nothing is downloaded but the base. How to run it, and what each right buys: docs/install.md.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS files
COPY . /checkout
RUN ["/bin/sh", "/checkout/bin/lib/image-files", "/checkout", "/opt/fairlead"]

FROM ${BASE}
COPY --from=files /opt/fairlead /opt/fairlead
RUN groupadd --gid 10001 fairlead \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/fairlead --no-create-home --shell /usr/sbin/nologin fairlead \
 && install -d -m 700 -o fairlead -g fairlead /var/lib/fairlead /var/lib/fairlead-server /var/lib/fairlead-join \
 && printf '#!/bin/sh\nexec /opt/fairlead/bin/lib/image-user /opt/fairlead/bin/ctl "$@"\n' >/usr/local/bin/ctl \
 && chmod 755 /usr/local/bin/ctl
ENV HOME=/var/lib/fairlead XDG_STATE_HOME=/var/lib XDG_CACHE_HOME=/var/lib/fairlead/cache \
    FAIRLEAD_LISTEN_ADDRESS=0.0.0.0 FAIRLEAD_LOG_MAX_SIZE=0 FAIRLEAD_SERVER_LOG_MAX_SIZE=0
VOLUME /var/lib/fairlead
EXPOSE 9090
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["/opt/fairlead/bin/lib/image-user", "/opt/fairlead/bin/node", "/opt/fairlead/bin/lib/image-health.mjs"]
ENTRYPOINT ["/opt/fairlead/bin/lib/image-user", "/opt/fairlead/bin/fairlead", "agent"]
