package hook

import "time"

// Code is the stable, machine-readable name of a failure that a caller may see.
type Code string

// The codes. docs/errors.md is generated from ErrorCatalog, which names each.
const (
	CodeBadRequest     Code = "bad_request"
	CodeAuthentication Code = "authentication_failed"
	CodeSignIn         Code = "sign_in_failed"
	CodeNotAllowed     Code = "insufficient access"
	CodeNotFound       Code = "not_found"
	CodeMethod         Code = "method_not_allowed"
	CodeConflict       Code = "conflict"
	CodeEventTypeTaken Code = "event_type_exists"
	CodeTooLarge       Code = "payload_too_large"
	CodeHeadersTooBig  Code = "headers_too_large"
	CodeMediaType      Code = "unsupported_media_type"
	CodeInvalid        Code = "invalid"
	CodeIdempotency    Code = "idempotency_key_reused"
	CodeInvalidRange   Code = "invalid_range"
	CodeLimitReached   Code = "limit_reached"
	CodeMissingPayload Code = "missing_payload"
	CodeInvalidScheme  Code = "invalid_scheme"
	CodeDisabled       Code = "endpoint_disabled"
	CodeTimeout        Code = "request_timeout"
	CodeRateLimited    Code = "rate_limited"
	CodeNotImplemented Code = "not_implemented"
	CodeInternal       Code = "internal_error"
	CodeUnavailable    Code = "unavailable"
	CodeUnknown        Code = "outcome_unknown"
)

// CodeInfo describes one code: the HTTP status that carries it, what happened
// and what the caller can do.
type CodeInfo struct {
	Code    Code
	Status  int
	Title   string
	Meaning string
	Remedy  string
}

// ErrorCatalog is the closed list of codes, in the order of their status.
var ErrorCatalog = []CodeInfo{
	{CodeBadRequest, 400, "Bad request", "The request cannot be read: a malformed query value, header or path.", "Correct the part that the detail names."},
	{CodeInvalidRange, 400, "Invalid time range", "The time range is empty, too long or in the future.", "Choose a range within the limits that the detail names."},
	{CodeLimitReached, 400, "Limit reached", "A limit on the number of objects or keys is reached.", "Remove what is no longer needed, or wait until old keys expire."},
	{CodeMissingPayload, 400, "Payload is gone", "The payload was expunged or its retention ended, so it cannot be sent again.", "Send the event again as a new message."},
	{CodeInvalidScheme, 400, "No example to send", "The event type has no example in version 1 of its schema.", "Add `examples` to the schema, or use another event type."},
	{CodeDisabled, 400, "Endpoint is disabled", "The endpoint takes no deliveries; the detail says since when and why.", "Enable the endpoint, then try again."},
	{CodeAuthentication, 401, "Not authenticated", "No API key, or one that is unknown, expired or revoked.", "Send `Authorization: Bearer KEY` with a valid key."},
	{CodeSignIn, 401, "Not signed in", "The e-mail address, the password, the passkey, the link or the provider's answer did not let anybody in.", "Try again, or ask an administrator for a link."},
	{CodeNotAllowed, 403, "Not allowed", "The key is valid but may not do this.", "Use a key of the environment, or a portal token with the needed capability."},
	{CodeNotFound, 404, "Not found", "There is no such object or route in this environment.", "Check the id and that the key belongs to the right environment."},
	{CodeMethod, 405, "Method not allowed", "The route exists but not with this method.", "Use one of the methods in the Allow header."},
	{CodeTimeout, 408, "Request took too long", "The request body did not arrive in time.", "Send the request again."},
	{CodeConflict, 409, "Conflict", "An object with this uid, event id or name exists already.", "Use the existing object, or choose another name."},
	{CodeEventTypeTaken, 409, "Event type exists", "An event type of this name exists already.", "Use PUT to change it, or choose another name."},
	{CodeTooLarge, 413, "Payload too large", "The request body is larger than the server takes.", "Send a smaller payload, or raise `--max-body`."},
	{CodeMediaType, 415, "Unsupported media type", "The source takes JSON only, and the body is none.", "Send JSON without a content coding, or let the source take any body."},
	{CodeInvalid, 422, "Invalid value", "A value is not valid; the detail lists each with its place.", "Correct the listed values."},
	{CodeIdempotency, 422, "Idempotency key reused", "This idempotency key was used for another request.", "Use a new key for a new request."},
	{CodeRateLimited, 429, "Too many requests", "The source takes no more requests for a moment, the address has asked for too many URLs that do not exist, or too many sign-ins were tried.", "Send the request again after the time in the Retry-After header."},
	{CodeHeadersTooBig, 431, "Headers too large", "The request headers are larger than the server takes.", "Send fewer or shorter headers."},
	{CodeInternal, 500, "Internal error", "The server failed; its log has the cause under the request id.", "Try again; if it stays, report the request id."},
	{CodeNotImplemented, 501, "Not implemented", "This server does not offer the operation.", "See the table of operations in the API documentation."},
	{CodeUnavailable, 503, "Not available now", "The server cannot store or read right now. Nothing was accepted.", "Try again after the time in the Retry-After header."},
	{CodeUnknown, 504, "Outcome unknown", "The database did not answer any more while the messages were being stored: they may be accepted or not.", "Send the same request again with the same idempotency key or event ids: what is stored is not stored twice."},
}

// Info looks a code up in ErrorCatalog.
func (c Code) Info() CodeInfo {
	for _, info := range ErrorCatalog {
		if info.Code == c {
			return info
		}
	}
	return CodeInfo{Code: c, Status: 500, Title: "Internal error"}
}

// Field is one invalid value of a request: where it is, what is wrong with it,
// and the kind of fault ("value_error", "value_error.jsondecode", …).
type Field struct {
	Loc  []string
	Msg  string
	Type string
}

// Error is a failure that the caller may see. Everything else is internal.
type Error struct {
	Code   Code
	Detail string  // one sentence, fit to show
	Hint   string  // what to do; empty: the catalog's remedy
	Fields []Field // for CodeInvalid
	// RetryAfter is when the caller should try again, for CodeRateLimited; 0: not said.
	RetryAfter time.Duration
	Err        error // the cause, never shown
}

// Error gives code and detail, for logs.
func (e *Error) Error() string {
	s := string(e.Code)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	for _, f := range e.Fields {
		s += ": " + f.Msg
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf-like constructors for the codes that many rooms need.

// NotFound says that there is no such thing ("application", "endpoint", …).
func NotFound(what string) *Error {
	return &Error{Code: CodeNotFound, Detail: "There is no such " + what + "."}
}

// Unavailable says that the store cannot take or give anything right now.
func Unavailable(cause error) *Error {
	return &Error{Code: CodeUnavailable, Detail: "The store is not available. Nothing was accepted.", Err: cause}
}

// Unknown says that nobody knows whether the store has taken something.
func Unknown(cause error) *Error {
	return &Error{Code: CodeUnknown, Detail: "The store broke off. It is not known whether this was accepted.", Err: cause}
}

// Invalid reports one invalid value at the place loc, such as
// Invalid("must not be empty", "body", "name").
func Invalid(msg string, loc ...string) *Error {
	return &Error{Code: CodeInvalid, Fields: []Field{{Loc: loc, Msg: msg, Type: "value_error"}}}
}
