# One static program on an image with nothing else in it: no shell, no package
# manager, not root. Everything it writes goes to /data, so that the rest may
# be read-only: docker run --read-only -v support:/data -p 8080:8080 …

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The same bytes each time: see `make reproducible`.
RUN make build && mkdir /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /src/bin/support /support
COPY --from=build --chown=nonroot:nonroot /data /data
WORKDIR /
ENV SUPPORT_ADDR=:8080 SUPPORT_ADMIN_ADDR=:9090 DATABASE_URL=sqlite:/data/support.db
EXPOSE 8080 9090
VOLUME /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["/support"]
