package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
)

// secretsIn is a secret as the API takes those of a source; empty: none.
func secretsIn(secret string) apitype.Optional[[]apitype.SourceSecretIn] {
	if secret == "" {
		return apitype.Optional[[]apitype.SourceSecretIn]{}
	}
	return apitype.Some([]apitype.SourceSecretIn{{Value: secret}})
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
