package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
)

// received sends webhooks to ingest URLs of Grapnel, signed as GitHub signs, so that
// each is verified and known by its id. An application is a source.
type received struct {
	api
	Secret string
	Paths  []string // of the ingest URLs
}

func (s *received) setUp(ctx context.Context, apps [][]string) error {
	s.Secret = rand.Text()
	for i, urls := range apps {
		var out struct{ ID, IngestURL string }
		if err := s.make(ctx, "/ingest/api/v1/source", map[string]any{
			"name": "bench " + strconv.Itoa(i), "type": "github", "secrets": []any{map[string]any{"value": s.Secret}},
		}, &out); err != nil {
			return err
		}
		for _, u := range urls {
			if _, err := s.create(ctx, "/ingest/api/v1/source/"+out.ID+"/endpoint", map[string]any{"url": u}); err != nil {
				return err
			}
		}
		at, err := url.Parse(out.IngestURL)
		if err != nil {
			return err
		}
		s.Paths = append(s.Paths, at.Path)
	}
	return nil
}

func (s *received) publish(ctx context.Context, app int, events []event) (*http.Request, error) {
	if len(events) != 1 {
		return nil, errors.New("this target takes one event a request")
	}
	e := events[0]
	req, err := s.post(ctx, s.Paths[app], e.data)
	if err != nil {
		return nil, err
	}
	req.Header.Del("Authorization")
	mac := hmac.New(sha256.New, []byte(s.Secret))
	mac.Write(e.data)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	req.Header.Set("X-GitHub-Delivery", e.id)
	req.Header.Set("X-GitHub-Event", "push")
	return req, nil
}
