// Package acceptance_test drives the real binary over HTTP with a client that
// was written by others, unchanged: whatever that client can do, the server must
// answer as the client expects.
package acceptance_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/grapnelhq/grapnel/test/rig"
)

// retrySchedule has three retries, so that a message is given up within two
// seconds.
const retrySchedule = "150ms,300ms,450ms"

var (
	binary   string // path
	server   *rig.Server
	receiver *rig.Receiver
)

// TestMain starts one server for all tests. Each test has applications of its own.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "grapnel-acceptance-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	receiver = rig.NewReceiver()
	defer receiver.Close()
	if binary, err = rig.Build(context.Background(), dir); err != nil {
		panic(err)
	}
	server, err = rig.Start(context.Background(), rig.Options{
		Binary: binary, DB: filepath.Join(dir, "acceptance.db"),
		Flags: []string{"--retry-schedule", retrySchedule},
	})
	if err != nil {
		panic(err)
	}
	defer server.Kill()
	m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		panic(err)
	}
}

// admin is the client with the environment key.
func admin(t *testing.T) *svix.Svix {
	t.Helper()
	return clientWith(t, rig.Key)
}

func clientWith(t *testing.T, token string) *svix.Svix {
	t.Helper()
	at, err := url.Parse(server.URL)
	ok(t, err)
	c, err := svix.New(token, &svix.SvixOptions{ServerUrl: at})
	ok(t, err)
	return c
}

// unique gives a name that no other test has.
func unique(prefix string) string { return prefix + "-" + rand.Text()[:10] }

func newApplication(t *testing.T, c *svix.Svix) string {
	t.Helper()
	app, err := c.Application.Create(t.Context(), models.ApplicationIn{Name: t.Name()}, nil)
	ok(t, err)
	return app.Id
}

func newEndpoint(t *testing.T, c *svix.Svix, app string, in models.EndpointIn) *models.EndpointOut {
	t.Helper()
	ep, err := c.Endpoint.Create(t.Context(), app, in, nil)
	ok(t, err)
	return ep
}

func newEventType(t *testing.T, c *svix.Svix, in models.EventTypeIn) string {
	t.Helper()
	if in.Name == "" {
		in.Name = unique("type")
	}
	created, err := c.EventType.Create(t.Context(), in, nil)
	ok(t, err)
	return created.Name
}

func publish(t *testing.T, c *svix.Svix, app string, in models.MessageIn) *models.MessageOut {
	t.Helper()
	if in.EventType == "" {
		in.EventType = "test.event"
	}
	if in.Payload == nil {
		in.Payload = map[string]any{"hello": "world"}
	}
	msg, err := c.Message.Create(t.Context(), app, in, nil)
	ok(t, err)
	return msg
}

// verifier verifies with the client's own code and the endpoint's current key.
func verifier(t *testing.T, c *svix.Svix, app, endpoint string) *svix.Webhook {
	t.Helper()
	secret, err := c.Endpoint.GetSecret(t.Context(), app, endpoint)
	ok(t, err)
	return verifierOf(t, secret.Key)
}

func verifierOf(t *testing.T, secret string) *svix.Webhook {
	t.Helper()
	v, err := svix.NewWebhook(secret)
	ok(t, err)
	return v
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var refused *svix.Error
	if errors.As(err, &refused) {
		t.Fatalf("%v: %s", err, refused.Body())
	}
	t.Fatal(err)
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %s, want %s", what, show(got), show(want))
	}
}

// sorted is for lists whose order is not told: ids of the same few milliseconds
// are in none.
func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// show writes values behind pointers, not the pointers.
func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(text)
}

// eventually waits for something that the server does on its own time.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	ok(t, rig.Until(ctx, check))
}

// each goes through all pages of a list.
func each[P, T any](t *testing.T, page func(iterator *string) (P, error), read func(P) (data []T, iterator *string, done bool), visit func(T)) {
	t.Helper()
	var iterator *string
	for range 1000 {
		p, err := page(iterator)
		ok(t, err)
		data, next, done := read(p)
		for _, item := range data {
			visit(item)
		}
		if done {
			return
		}
		if next == nil || len(data) == 0 {
			t.Fatal("a page that is not the last has no iterator or no items")
		}
		iterator = next
	}
	t.Fatal("the list does not end")
}
