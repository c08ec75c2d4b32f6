package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// An adapter knows one target's API. Its exported fields are the state that
// -state keeps between runs.
type adapter interface {
	// setUp makes an application for each list of endpoint URLs.
	setUp(ctx context.Context, apps [][]string) error
	// publish builds the request that hands events over to an application.
	publish(ctx context.Context, app int, events []event) (*http.Request, error)
}

// event is one thing to publish: an id of the caller's and a JSON object.
type event struct {
	id   string
	data []byte
}

var adapters = map[string]func(api) adapter{
	"limit":   func(a api) adapter { return &plain{api: a} },
	"svix":    func(a api) adapter { return &svix{api: a} },
	"grapnel": func(a api) adapter { return &svix{api: a} },
	"ingest":  func(a api) adapter { return &received{api: a} },
}

func targetNames() []string {
	return slices.Sorted(maps.Keys(adapters))
}

func newAdapter(target, base, key string) (adapter, error) {
	mk, ok := adapters[target]
	if !ok {
		return nil, fmt.Errorf("no such target %q, there are %s", target, strings.Join(targetNames(), ", "))
	}
	return mk(api{bases: bases(base), turn: new(atomic.Uint64), key: key, client: &http.Client{Transport: tunedTransport(setUpWorkers)}}), nil
}

// bases are the URLs of the option -base.
func bases(option string) []string {
	list := strings.Split(option, ",")
	for i := range list {
		list[i] = strings.TrimRight(list[i], "/")
	}
	return list
}

// api is what the adapters share: JSON over HTTP with a bearer token.
type api struct {
	bases  []string       // of nodes that share a store; requests go to them in turn
	turn   *atomic.Uint64 // counts requests
	key    string
	client *http.Client // of the set-up
}

func (a api) post(ctx context.Context, path string, body []byte) (*http.Request, error) {
	base := a.bases[a.turn.Add(1)%uint64(len(a.bases))]
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if a.key != "" {
		req.Header.Set("Authorization", "Bearer "+a.key)
	}
	return req, nil
}

// create makes one object and returns its id.
func (a api) create(ctx context.Context, path string, in any) (string, error) {
	var out struct{ ID string }
	err := a.make(ctx, path, in, &out)
	return out.ID, err
}

// make makes one object and reads what out has of it.
func (a api) make(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := a.post(ctx, path, body)
	if err != nil {
		return err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer finish(resp)
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if !success(resp.StatusCode) {
		return fmt.Errorf("POST %s: %s: %.300s", path, resp.Status, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	return nil
}

func success(status int) bool { return status >= 200 && status <= 299 }

// plain posts the bare event to /APPLICATION and needs no set-up.
type plain struct{ api }

func (p *plain) setUp(context.Context, [][]string) error { return nil }

func (p *plain) publish(ctx context.Context, app int, events []event) (*http.Request, error) {
	if len(events) != 1 {
		return nil, errors.New("this target takes one event a request")
	}
	return p.post(ctx, "/"+strconv.Itoa(app), events[0].data)
}

// svix speaks the API that Grapnel answers, and its batch route.
type svix struct {
	api
	Apps []string // ids
}

// setUpWorkers create applications and endpoints at the same time.
const setUpWorkers = 32

func (s *svix) setUp(ctx context.Context, apps [][]string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.Apps = make([]string, len(apps))
	work := make(chan int)
	var wg sync.WaitGroup
	for range min(setUpWorkers, len(apps)) {
		wg.Go(func() {
			for i := range work {
				if err := s.makeApp(ctx, i, apps[i]); err != nil {
					cancel(err) // the first one counts
				}
			}
		})
	}
	for i := range apps {
		work <- i
		if ctx.Err() != nil {
			break
		}
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}

func (s *svix) makeApp(ctx context.Context, i int, urls []string) (err error) {
	s.Apps[i], err = s.create(ctx, "/api/v1/app", map[string]any{"name": "bench " + strconv.Itoa(i)})
	for _, u := range urls {
		if err != nil {
			break
		}
		_, err = s.create(ctx, "/api/v1/app/"+s.Apps[i]+"/endpoint", map[string]any{"url": u})
	}
	return err
}

func (s *svix) publish(ctx context.Context, app int, events []event) (*http.Request, error) {
	path := "/api/v1/app/" + s.Apps[app] + "/msg"
	if len(events) == 1 {
		return s.post(ctx, path, appendMessage(nil, events[0]))
	}
	body := []byte{'['}
	for i, e := range events {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendMessage(body, e)
	}
	return s.post(ctx, path+"/batch", append(body, ']'))
}

// appendMessage writes a message to create; ids need no escaping.
func appendMessage(b []byte, e event) []byte {
	b = append(b, `{"eventType":"bench.sent","eventId":"`...)
	b = append(b, e.id...)
	b = append(b, `","payload":`...)
	b = append(b, e.data...)
	return append(b, '}')
}
