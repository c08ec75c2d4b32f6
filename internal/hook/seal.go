package hook

// SealFunc encrypts or decrypts data for one purpose of one object. A sealed
// text can be opened only with the purpose and id that it was sealed with.
type SealFunc func(purpose string, id ID, data []byte) ([]byte, error)

// The purposes.
const (
	PurposeSecret       = "endpoint-secret"  // plain: the secret's text, such as "whsec_…"
	PurposeHeaders      = "endpoint-headers" // plain: a JSON object of header name to value
	PurposeSourceSecret = "source-secret"    // plain: the secret's text, as the provider shows it
	PurposeSourceToken  = "source-token"     // plain: what the ingest URL ends in
)
