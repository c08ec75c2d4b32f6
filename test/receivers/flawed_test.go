package receivers_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/test/receivers"
	"github.com/grapnelhq/grapnel/webhook"
)

var errRefused = errors.New("refused")

// flaws are receivers with one mistake each, all of them seen in the wild, and the faults
// that the check must find, no more and no fewer.
var flaws = []struct {
	name   string
	make   func(*receiver)
	faults []receivers.Fault
}{
	{"acknowledges before the commit", acknowledgeFirst, []receivers.Fault{receivers.AcknowledgesTooEarly}},
	{"verifies the JSON that it has parsed and written again", verifyParsed, []receivers.Fault{receivers.VerifiesParsedBody}},
	{"has no unique key", insertAlways, []receivers.Fault{receivers.ProcessesTwice}},
	{"trusts the certificate of the request", trustCertificate, []receivers.Fault{receivers.TrustsNamedKey}},
	{"does not look at the time", ignoreTime, []receivers.Fault{receivers.IgnoresOldTime, receivers.IgnoresFutureTime}},
	{"compares as many characters as came", compareWhatCame, []receivers.Fault{receivers.AcceptsPartOfOne}},
	{"compares the first characters", compareBegin, []receivers.Fault{receivers.AcceptsPartOfOne}},
	{"takes the first signature", takeFirst, []receivers.Fault{receivers.ReadsFirstOnly}},
	{"answers 500 to duplicates", failDuplicates, []receivers.Fault{receivers.RefusesDuplicate}},
	{"believes what is not signed", believeUnsigned, []receivers.Fault{receivers.AcceptsUnsigned}},
	{"looks first and inserts then", lookThenInsert, []receivers.Fault{receivers.RacesDuplicates}},
	{"reads whatever comes", readAll, []receivers.Fault{receivers.ReadsWithoutBound}},
	{"remembers the id before the work", rememberFirst, []receivers.Fault{receivers.ForgetsAfterCrash}},
	{"does not look at the version", ignoreVersion, []receivers.Fault{receivers.AcceptsUnknownScheme}},
	{"verifies nothing", func(r *receiver) { r.verify = func(http.Header, []byte) error { return nil } }, []receivers.Fault{
		receivers.AcceptsWrongSignature, receivers.AcceptsUnsigned, receivers.AcceptsPartOfOne, receivers.AcceptsUnknownScheme,
		receivers.VerifiesParsedBody, receivers.IgnoresOldTime, receivers.IgnoresFutureTime,
	}},
	{"refuses everything", func(r *receiver) { r.verify = func(http.Header, []byte) error { return errRefused } }, []receivers.Fault{
		receivers.RefusesValid, receivers.RefusesDuplicate, receivers.RefusesBigBody, receivers.ReadsFirstOnly, receivers.VerifiesParsedBody,
		receivers.ForgetsAfterCrash, receivers.RacesDuplicates,
	}},
}

func TestEachFlawIsFoundByItsName(t *testing.T) {
	t.Parallel()
	for _, flaw := range flaws {
		t.Run(flaw.name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver()
			flaw.make(r)
			found, err := receivers.Check(t.Context(), r.subject(t))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(found, flaw.faults) {
				t.Errorf("found %q, want %q", found, flaw.faults)
			}
		})
	}
}

func TestAReceiverThatDoesAllRightHasNoFault(t *testing.T) {
	t.Parallel()
	found, err := receivers.Check(t.Context(), newReceiver().subject(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		t.Errorf("found %q", found)
	}
}

func TestASubjectWithoutASecretIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := receivers.Check(t.Context(), receivers.Subject{URL: "http://127.0.0.1:1"}); !errors.Is(err, webhook.ErrKey) {
		t.Errorf("%v, want %v", err, webhook.ErrKey)
	}
}

func acknowledgeFirst(r *receiver) {
	r.commit = func(w http.ResponseWriter, id string) {
		w.WriteHeader(http.StatusNoContent)
		_ = http.NewResponseController(w).Flush()
		_ = r.books.insertUnique(id)
	}
}

func verifyParsed(r *receiver) {
	verify := r.verify
	r.verify = func(header http.Header, body []byte) error {
		var parsed any
		if err := json.Unmarshal(body, &parsed); err != nil {
			return err
		}
		written, err := json.Marshal(parsed)
		if err != nil {
			return err
		}
		return verify(header, written)
	}
}

func insertAlways(r *receiver) {
	r.commit = func(w http.ResponseWriter, id string) { answer(w, r.books.insert(id)) }
}

func failDuplicates(r *receiver) {
	r.commit = func(w http.ResponseWriter, id string) { answer(w, r.books.insertUnique(id)) }
}

func lookThenInsert(r *receiver) {
	r.commit = func(w http.ResponseWriter, id string) {
		if r.books.seen(id) {
			answer(w, nil)
			return
		}
		answer(w, r.books.insert(id))
	}
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// rememberFirst keeps the ids it has seen apart from the effects, and writes them first.
func rememberFirst(r *receiver) {
	ids := newBooks()
	r.commit = func(w http.ResponseWriter, id string) {
		if err := ids.insertUnique(id); err != nil {
			answer(w, nil)
			return
		}
		answer(w, r.books.insertUnique(id))
	}
}

func readAll(r *receiver) {
	r.read = func(_ http.ResponseWriter, request *http.Request) ([]byte, error) { return io.ReadAll(request.Body) }
}

// digest is the right signature without its version.
func digest(header http.Header, body []byte) string {
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_")) // a constant
	mac := hmac.New(sha256.New, raw)
	_, _ = io.WriteString(mac, header.Get(webhook.HeaderID)+"."+header.Get(webhook.HeaderTimestamp)+".")
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// anyEntry verifies all but the signatures, for each of which it asks fits.
func anyEntry(r *receiver, fits func(entry, want string) bool) {
	verify := r.verify
	r.verify = func(header http.Header, body []byte) error {
		want := digest(header, body)
		// With the right signature in its place, what else is wrong shows.
		right := header.Clone()
		if right.Get(webhook.HeaderSignature) != "" {
			right.Set(webhook.HeaderSignature, "v1,"+want)
		}
		if err := verify(right, body); err != nil {
			return err
		}
		for entry := range strings.FieldsSeq(header.Get(webhook.HeaderSignature)) {
			if fits(entry, want) {
				return nil
			}
		}
		return errRefused
	}
}

func compareWhatCame(r *receiver) {
	anyEntry(r, func(entry, want string) bool {
		got, ok := strings.CutPrefix(entry, "v1,")
		return ok && len(got) <= len(want) && want[:len(got)] == got
	})
}

func compareBegin(r *receiver) {
	anyEntry(r, func(entry, want string) bool {
		got, ok := strings.CutPrefix(entry, "v1,")
		return ok && len(got) == len(want) && want[:8] == got[:8]
	})
}

func takeFirst(r *receiver) {
	verify := r.verify
	r.verify = func(header http.Header, body []byte) error {
		first := header.Clone()
		entry, _, _ := strings.Cut(header.Get(webhook.HeaderSignature), " ")
		first.Set(webhook.HeaderSignature, entry)
		return verify(first, body)
	}
}

func ignoreVersion(r *receiver) {
	anyEntry(r, func(entry, want string) bool {
		_, got, _ := strings.Cut(entry, ",")
		return got == want
	})
}

func ignoreTime(r *receiver) {
	r.verify = func(header http.Header, body []byte) error {
		for _, name := range []string{webhook.HeaderID, webhook.HeaderTimestamp} {
			if header.Get(name) == "" {
				return errRefused
			}
		}
		for entry := range strings.FieldsSeq(header.Get(webhook.HeaderSignature)) {
			if hmac.Equal([]byte(entry), []byte("v1,"+digest(header, body))) {
				return nil
			}
		}
		return errRefused
	}
}

func believeUnsigned(r *receiver) {
	verify := r.verify
	r.verify = func(header http.Header, body []byte) error {
		if header.Get(webhook.HeaderSignature) == "" {
			return nil
		}
		return verify(header, body)
	}
}

// trustCertificate takes messages of SNS too, and the certificate from wherever they say.
func trustCertificate(r *receiver) {
	verify, id := r.verify, r.id
	r.verify = func(header http.Header, body []byte) error {
		if header.Get("X-Amz-Sns-Message-Type") == "" {
			return verify(header, body)
		}
		return verifyNotification(body)
	}
	r.id = func(header http.Header, body []byte) string {
		var m map[string]string
		if json.Unmarshal(body, &m) == nil && m["MessageId"] != "" {
			return m["MessageId"]
		}
		return id(header, body)
	}
}

func verifyNotification(body []byte) error {
	var m map[string]string
	if err := json.Unmarshal(body, &m); err != nil {
		return err
	}
	public, err := fetchKey(m["SigningCertURL"])
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(m["Signature"])
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, name := range []string{"Message", "MessageId", "Timestamp", "TopicArn", "Type"} {
		text.WriteString(name + "\n" + m[name] + "\n")
	}
	sum := sha256.Sum256([]byte(text.String()))
	return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature)
}

func fetchKey(address string) (*rsa.PublicKey, error) {
	response, err := http.Get(address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errRefused
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	public, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errRefused
	}
	return public, nil
}
