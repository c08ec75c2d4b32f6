package trace

import (
	"net/url"
	"os"
	"strconv"
	"strings"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// asked reports whether the environment wants traces, and what keeps them from
// being exported although it does. The names and values are those of the
// OpenTelemetry specification; the SDK reads all others by itself.
func asked() (on bool, problem string) {
	endpoint, name := first("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	if endpoint == "" || strings.EqualFold(variable("OTEL_SDK_DISABLED"), "true") {
		return false, ""
	}
	switch exporter := variable("OTEL_TRACES_EXPORTER"); exporter {
	case "", "otlp":
	case "none":
		return false, ""
	default:
		return false, "OTEL_TRACES_EXPORTER is neither otlp nor none"
	}
	// The address may hold what is nobody's business, so it is not repeated.
	if u, err := url.Parse(endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return false, name + " is not a URL such as http://localhost:4318"
	}
	switch protocol, name := first("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); protocol {
	case "", "http/protobuf", "http/json":
		return true, ""
	default:
		return false, name + " is neither http/protobuf nor http/json, and nothing else is spoken here"
	}
}

// first gives the first variable that is set, and its name.
func first(names ...string) (value, name string) {
	for _, name = range names {
		if value = variable(name); value != "" {
			return value, name
		}
	}
	return "", name
}

func variable(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// queueRoom is how many spans may wait for the collector.
func queueRoom() int {
	if n, err := strconv.Atoi(variable("OTEL_BSP_MAX_QUEUE_SIZE")); err == nil && n > 0 {
		return n
	}
	return sdktrace.DefaultMaxQueueSize
}
