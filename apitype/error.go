package apitype

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Error is the one object in which every 4xx and 5xx answer comes.
type Error struct {
	Code      string      `json:"code" example:"not_found" doc:"Stable name of the cause, for programs."`
	Detail    ErrorDetail `json:"detail" doc:"What went wrong: a sentence, or for status 422 a list with one entry for each wrong member."`
	Title     string      `json:"title,omitempty" example:"Not found" doc:"Short name of the cause, the same for each error of this code."`
	Status    int         `json:"status" minimum:"400" maximum:"599" example:"404" doc:"The HTTP status of the answer. In a batch, the status of the one item."`
	Hint      string      `json:"hint,omitempty" doc:"What to do about it, if that is known."`
	RequestID string      `json:"requestId,omitempty" doc:"Names this request in the server's log."`
}

// Error gives status, code and detail in one line.
func (e *Error) Error() string {
	return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Detail)
}

// GetStatus gives the HTTP status, so that a handler can return the error itself as the answer.
func (e *Error) GetStatus() int { return e.Status }

// ErrorDetail is a sentence, or the list of wrong members of a 422. On the wire it is
// a JSON string if Items is nil, else a JSON array.
type ErrorDetail struct {
	Text  string
	Items []ErrorItem
}

// ErrorItem says what is wrong with one member of a request.
type ErrorItem struct {
	Loc  []string `json:"loc" nullable:"false" example:"body,channels,[0]" doc:"Path of the member: body, query, path or header, then names; a position in a list is written as [0]."`
	Msg  string   `json:"msg" doc:"What is wrong, as a sentence. Never repeats the value."`
	Type string   `json:"type" example:"value_error" doc:"value_error, or value_error.jsondecode for a body that does not decode."`
}

// String gives the sentence, or the items as "loc.loc: msg" joined by semicolons.
func (d ErrorDetail) String() string {
	if d.Items == nil {
		return d.Text
	}
	lines := make([]string, len(d.Items))
	for i, item := range d.Items {
		lines[i] = strings.Join(item.Loc, ".") + ": " + item.Msg
	}
	return strings.Join(lines, "; ")
}

// MarshalJSON writes the list if there is one, else the sentence.
func (d ErrorDetail) MarshalJSON() ([]byte, error) {
	if d.Items != nil {
		return json.Marshal(d.Items)
	}
	return json.Marshal(d.Text)
}

// UnmarshalJSON reads either form; anything else is an error.
func (d *ErrorDetail) UnmarshalJSON(b []byte) error {
	*d = ErrorDetail{}
	if bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("[")) {
		return json.Unmarshal(b, &d.Items)
	}
	return json.Unmarshal(b, &d.Text)
}
