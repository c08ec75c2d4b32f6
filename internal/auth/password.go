package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// The parameters of argon2id (RFC 9106). Its second recommendation is 64 MiB and
// three passes; a small machine that also delivers webhooks gets the least that the
// OWASP password storage cheat sheet calls safe.
const (
	hashMemory = 19 << 10 // KiB
	hashPasses = 2
	hashLanes  = 1
	hashLength = 32
	saltLength = 16
)

const (
	minPassword = 12 // characters
	maxPassword = 128
	// hashesAtOnce bounds the memory that all sign-ins together take, and hashWait how
	// long one waits for its turn.
	hashesAtOnce = 2
	hashWait     = 5 * time.Second
)

// hasher makes and compares password hashes, a few at a time.
type hasher struct {
	turns chan struct{}
	// dummy is compared with where there is no hash, so that this takes as long.
	dummy string
}

func newHasher() *hasher {
	return &hasher{
		turns: make(chan struct{}, hashesAtOnce),
		dummy: phc(make([]byte, saltLength), make([]byte, hashLength)),
	}
}

// phc writes a hash in the PHC string format, so that another choice of parameters
// can tell old hashes from its own.
func phc(salt, sum []byte) string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashPasses, hashLanes, enc.EncodeToString(salt), enc.EncodeToString(sum))
}

// make gives the hash of a password.
func (h *hasher) make(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLength)
	rand.Read(salt) // never fails
	sum, err := h.sum(ctx, password, salt, hashPasses, hashMemory, hashLanes)
	if err != nil {
		return "", err
	}
	return phc(salt, sum), nil
}

// matches compares a password with a hash; an empty one matches nothing, and takes as
// long as any other.
func (h *hasher) matches(ctx context.Context, password, hash string) (bool, error) {
	known := hash != ""
	if !known {
		hash = h.dummy
	}
	salt, want, passes, memory, lanes, err := parsePHC(hash)
	if err != nil {
		return false, err
	}
	got, err := h.sum(ctx, password, salt, passes, memory, lanes)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

func (h *hasher) sum(ctx context.Context, password string, salt []byte, passes, memory uint32, lanes uint8) ([]byte, error) {
	if err := h.take(ctx); err != nil {
		return nil, err
	}
	defer func() { <-h.turns }()
	return argon2.IDKey([]byte(password), salt, passes, memory, lanes, hashLength), nil
}

func (h *hasher) take(ctx context.Context) error {
	timer := time.NewTimer(hashWait)
	defer timer.Stop()
	select {
	case h.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return tooMany(hashWait)
	}
}

// parsePHC reads what phc wrote, whatever its parameters were then.
func parsePHC(text string) (salt, sum []byte, passes, memory uint32, lanes uint8, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, nil, 0, 0, 0, fmt.Errorf("a stored password is not an argon2id hash")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil {
		return nil, nil, 0, 0, 0, fmt.Errorf("the parameters of a stored password: %w", err)
	}
	const most = 1 << 20 // KiB: what no version of this program would choose
	if passes == 0 || lanes == 0 || memory == 0 || memory > most {
		return nil, nil, 0, 0, 0, fmt.Errorf("the parameters of a stored password are out of range")
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err == nil {
		sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err != nil || len(sum) != hashLength {
		return nil, nil, 0, 0, 0, fmt.Errorf("a stored password cannot be read")
	}
	return salt, sum, passes, memory, lanes, nil
}

// checkPassword holds a new password to the rules: long enough, and not the e-mail
// address. What kinds of characters it has does not matter (NIST SP 800-63B-4, 3.1.1.2).
func checkPassword(password, email string, at ...string) error {
	n := utf8.RuneCountInString(password)
	folded, _ := hook.FoldEmail(password)
	switch {
	case !utf8.ValidString(password):
		return hook.Invalid("must be UTF-8", at...)
	case n < minPassword || n > maxPassword:
		return hook.Invalid(fmt.Sprintf("must have %d to %d characters", minPassword, maxPassword), at...)
	case folded != "" && folded == email:
		return hook.Invalid("must not be the e-mail address", at...)
	}
	return nil
}
