package trace

import (
	"log/slog"
	"regexp"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
)

// adoptErrors sends what the SDK has to say to the log, each text once. The SDK has
// one place for it in a process, and would write to the standard error otherwise.
func adoptErrors(log *slog.Logger) {
	s := &sink{log: log, told: make(map[string]bool)}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { s.tell(cleaned(err)) }))
	otel.SetLogger(logr.New(s))
}

// mostTold bounds the texts that are remembered; more are not logged.
const mostTold = 100

// sink is where the SDK logs to. The values beside a text are not logged: they
// repeat the environment, headers with keys included.
type sink struct {
	log *slog.Logger

	mu   sync.Mutex // guards told
	told map[string]bool
}

var _ logr.LogSink = (*sink)(nil)

func (s *sink) tell(text string) {
	s.mu.Lock()
	known := s.told[text] || len(s.told) >= mostTold
	s.told[text] = true
	s.mu.Unlock()
	if !known {
		s.log.Warn("OpenTelemetry", "error", text)
	}
}

// Init implements logr.LogSink.
func (s *sink) Init(logr.RuntimeInfo) {}

// Enabled implements logr.LogSink: warnings and errors (see otel.SetLogger).
func (s *sink) Enabled(level int) bool { return level <= 1 }

// Info implements logr.LogSink.
func (s *sink) Info(_ int, text string, _ ...any) { s.tell(text) }

// Error implements logr.LogSink.
func (s *sink) Error(err error, text string, _ ...any) {
	if err != nil {
		text += ": " + cleaned(err)
	}
	s.tell(text)
}

// WithValues implements logr.LogSink.
func (s *sink) WithValues(...any) logr.LogSink { return s }

// WithName implements logr.LogSink.
func (s *sink) WithName(string) logr.LogSink { return s }

const longestText = 300 // bytes of an error that are worth logging

// address finds URLs; path and query of a collector's may hold a key.
var address = regexp.MustCompile(`(https?://)(?:[^/\s"@]*@)?([^/\s"?#]*)[^\s"]*`)

// cleaned is the text of an error without what may be secret.
func cleaned(err error) string {
	text := address.ReplaceAllString(err.Error(), "$1$2")
	return strings.ToValidUTF8(text[:min(len(text), longestText)], "")
}
