// Command oracle lets a program in another language ask package provider: each line of its standard input is a question in JSON,
// and each line of its standard output the answer to it. The acceptance tests compare the answers with those of the providers' own
// libraries.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

// question asks to sign a request or to verify one.
type question struct {
	Ask      string            `json:"ask"` // sign or verify
	Provider string            `json:"provider"`
	Settings provider.Settings `json:"settings"`
	Secret   string            `json:"secret"`
	ID       string            `json:"id"` // of the event, for schemes that sign one
	Method   string            `json:"method"`
	URL      string            `json:"url"`
	Headers  map[string]string `json:"headers"`
	Body     []byte            `json:"body"` // base64
}

// answer is the verdict, or the signed request.
type answer struct {
	OK      bool              `json:"ok"`
	Reason  provider.Reason   `json:"reason,omitempty"`
	Detail  string            `json:"detail,omitempty"`
	URL     string            `json:"url,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    []byte            `json:"body,omitempty"`
	// Error says that the question could not be answered.
	Error string `json:"error,omitempty"`
}

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

// serve answers until the input ends.
func serve(in io.Reader, out io.Writer) error {
	questions, buffered := json.NewDecoder(bufio.NewReader(in)), bufio.NewWriter(out)
	questions.DisallowUnknownFields()
	answers := json.NewEncoder(buffered)
	for {
		var q question
		if err := questions.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading a question: %w", err)
		}
		a, err := q.answer()
		if err != nil {
			a.Error = err.Error()
		}
		if err := errors.Join(answers.Encode(a), buffered.Flush()); err != nil {
			return fmt.Errorf("writing an answer: %w", err)
		}
	}
}

func (q *question) answer() (answer, error) {
	v, err := provider.New(q.Provider, q.Settings, provider.Secret{Value: q.Secret})
	if err != nil {
		return answer{}, err
	}
	r := provider.Request{Method: q.Method, URL: q.URL, Header: http.Header{}, Body: q.Body}
	for name, value := range q.Headers {
		r.Header.Set(name, value)
	}
	switch q.Ask {
	case "sign":
		if err := v.Sign(&r, q.ID, time.Now()); err != nil {
			return answer{}, err
		}
		signed := answer{OK: true, URL: r.URL, Headers: map[string]string{}, Body: r.Body}
		for name := range r.Header {
			signed.Headers[name] = r.Header.Get(name)
		}
		return signed, nil
	case "verify":
		verdict := v.Verify(context.Background(), r, time.Now())
		return answer{OK: verdict.OK(), Reason: verdict.Reason, Detail: verdict.Detail}, nil
	}
	return answer{}, fmt.Errorf("nobody can %q", q.Ask)
}
