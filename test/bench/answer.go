package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// maxAnswer bounds what is read of an answer; a thousand results that repeat
// their messages fit.
const maxAnswer = 64 << 20

// readAnswer says which of the n events of a request were accepted; none
// means all of them. A failed request is an error, a refused item of a batch is not.
func readAnswer(resp *http.Response, n int) (accepted []bool, refusal string, err error) {
	if !success(resp.StatusCode) {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // only for the message
		return nil, "", fmt.Errorf("%s: %s", resp.Status, text)
	}
	if n == 1 {
		return nil, "", nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, "", err
	}
	return parseBatch(body, n)
}

// allAccepted is how a result of an accepted item begins to look; the
// payloads of this program hold no such text.
var allAccepted = []byte(`"status":202`)

// parseBatch reads one result per item in "data": {"status": 202, …} or the
// status of a refusal. Counting the text comes first, because decoding a thousand results
// costs the generator more than making them.
func parseBatch(body []byte, n int) (accepted []bool, refusal string, err error) {
	if bytes.Count(body, allAccepted) == n {
		return nil, "", nil
	}
	var list struct{ Data []json.RawMessage }
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, "", fmt.Errorf("results of a batch: %w", err)
	}
	if len(list.Data) != n {
		return nil, "", fmt.Errorf("%d results for %d events: %.200s", len(list.Data), n, body)
	}
	accepted = make([]bool, n)
	for i, raw := range list.Data {
		var item struct{ Status int }
		if err := json.Unmarshal(raw, &item); err != nil {
			return nil, "", fmt.Errorf("result %d of a batch: %w", i, err)
		}
		accepted[i] = success(item.Status)
		if !accepted[i] && refusal == "" {
			refusal = fmt.Sprintf("item %d of a batch: %.200s", i, raw)
		}
	}
	return accepted, refusal, nil
}
