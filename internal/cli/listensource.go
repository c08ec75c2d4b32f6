package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/provider"
)

// sourceIn is a source to make.
type sourceIn struct {
	Name, UID, Type, Secret string
	Settings                *provider.Settings // nil: none
	Responses               []apitype.SourceResponse
	Methods                 []string // besides POST
	EmptyBody               bool
}

// sourceOut is what the server says about it.
type sourceOut struct {
	ID        string `json:"id"`
	IngestURL string `json:"ingestUrl"`
}

// canCreate reports whether the name is that of a kind of source.
func (l *listening) canCreate(name string) bool {
	_, ok := provider.Find(name)
	return ok
}

// createSource makes a source.
func (r *remote) createSource(ctx context.Context, in sourceIn) (sourceOut, error) {
	body := apitype.SourceIn{Name: in.Name, Type: in.Type}
	var out sourceOut
	if in.UID != "" {
		body.UID = apitype.Some(in.UID)
	}
	if in.Secret != "" {
		body.Secrets = apitype.Some([]apitype.SourceSecretIn{{Value: in.Secret}})
	}
	if in.Settings != nil {
		text, err := json.Marshal(in.Settings)
		if err != nil {
			return out, err
		}
		body.Verification = apitype.Some(json.RawMessage(text))
	}
	if len(in.Responses) > 0 {
		body.Responses = apitype.Some(in.Responses)
	}
	if len(in.Methods) > 0 {
		body.Methods = apitype.Some(in.Methods)
	}
	if in.EmptyBody {
		body.EmptyBody = apitype.Some(true)
	}
	text, err := json.Marshal(body)
	if err == nil {
		err = r.call(ctx, http.MethodPost, "/ingest/api/v1/source", text, &out)
	}
	return out, err
}

// deleteSource removes a source with all that belongs to it.
func (r *remote) deleteSource(ctx context.Context, id string) error {
	return r.call(ctx, http.MethodDelete, "/ingest/api/v1/source/"+url.PathEscape(id), nil, nil)
}

// call is one request to the API, for what the Go client has no method.
func (r *remote) call(ctx context.Context, method, path string, body []byte, out any) error {
	key, err := r.findKeyQuietly()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, r.server+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("User-Agent", "grapnel-cli/"+version)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		return &client.UnreachableError{Server: r.server, Err: plainError(err)}
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return refusalOf(resp)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return &client.UnreachableError{Server: r.server, Err: err}
	}
	switch to := out.(type) {
	case nil:
		return nil
	case *[]byte:
		*to = text
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("the answer to %s %s is not what this program knows: %w", method, path, err)
	}
	return nil
}

// findKeyQuietly is findKey without the note about --api-key, which was given before.
func (r *remote) findKeyQuietly() (string, error) {
	if r.key != "" && r.keyFile == "" {
		return r.key, nil
	}
	return r.findKey()
}

// findSecret reads a secret from --secret, --secret-file or GRAPNEL_SECRET; empty: none
// is given.
func (s *Streams) findSecret(value, file string) (string, error) {
	switch {
	case value != "" && file != "":
		return "", usage("--secret and --secret-file are both given", "Give one of them.")
	case value != "":
		fmt.Fprintln(s.Err, "Note: other users of this machine can see a secret in the command line. GRAPNEL_SECRET and --secret-file keep it out.")
		return value, nil
	case file == "":
		return s.getenv("GRAPNEL_SECRET"), nil
	}
	var raw []byte
	var err error
	if file == "-" {
		raw, err = io.ReadAll(s.In)
	} else {
		raw, err = os.ReadFile(file)
	}
	if err != nil {
		return "", usage("the secret cannot be read: "+err.Error(), "Name a readable file that holds nothing but the secret.")
	}
	secret := strings.TrimSpace(string(raw))
	if secret == "" {
		return "", usage("the secret is empty", "Name a file that holds nothing but the secret.")
	}
	return secret, nil
}
