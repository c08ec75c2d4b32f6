package ingest

import (
	"net/http"
	"strconv"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// The gateway's own reasons, beside those of package provider.
const (
	reasonMethod      = "method_not_allowed"
	reasonAddress     = "address_not_allowed"
	reasonCertificate = "client_certificate"
	reasonRate        = "rate_limited"
	reasonLarge       = "too_large"
	reasonSlow        = "body_timeout"
	reasonCut         = "body_incomplete"
	reasonEmpty       = "empty_body"
	reasonNotJSON     = "not_json"
	reasonNoSecret    = "no_secret"
	reasonSettings    = "bad_settings"
	reasonLoop        = "loop"
	reasonBusy        = "busy"      // not recorded: there is no room
	reasonLearned     = "unlearned" // a secret was told, and another is in force
	reasonHandshake   = "handshake"
)

// refusal is a request that is not believed or not taken: what the sender is
// answered, and what the owner reads.
type refusal struct {
	status         int
	reason, detail string
	retry          int      // Retry-After, in seconds; 0: none
	allow          []string // Allow
	close          bool     // the rest of the body is not read
	empty          bool     // the answer must have no body
	diagnose       bool     // the reason is the signature's
}

func tooLarge(limit int64) refusal {
	return refusal{
		status: http.StatusRequestEntityTooLarge, reason: reasonLarge, close: true,
		detail: "The body is longer than " + strconv.FormatInt(limit, 10) + " bytes.",
	}
}

// codes are those of the error object by status; others are told as bad requests
// or as an unavailable server.
var codes = map[int]hook.Code{
	http.StatusUnauthorized:          hook.CodeAuthentication,
	http.StatusForbidden:             hook.CodeNotAllowed,
	http.StatusNotFound:              hook.CodeNotFound,
	http.StatusMethodNotAllowed:      hook.CodeMethod,
	http.StatusRequestTimeout:        hook.CodeTimeout,
	http.StatusConflict:              hook.CodeConflict,
	http.StatusRequestEntityTooLarge: hook.CodeTooLarge,
	http.StatusUnsupportedMediaType:  hook.CodeMediaType,
	http.StatusTooManyRequests:       hook.CodeRateLimited,
	http.StatusInternalServerError:   hook.CodeInternal,
	http.StatusServiceUnavailable:    hook.CodeUnavailable,
	498:                              hook.CodeAuthentication, // what GoCardless wants for a bad signature
}

// errorBody is the error object without a detail: a stranger learns nothing.
func errorBody(status int, request string) []byte {
	code, known := codes[status]
	if !known {
		code = hook.CodeBadRequest
		if status >= http.StatusInternalServerError {
			code = hook.CodeUnavailable
		}
	}
	b := []byte(`{"code":`)
	b = strconv.AppendQuote(b, string(code))
	b = append(b, `,"title":`...)
	b = strconv.AppendQuote(b, code.Info().Title)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	if request != "" {
		b = append(b, `,"requestId":`...)
		b = strconv.AppendQuote(b, request)
	}
	return append(b, "}\n"...)
}
