package api

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// serve is the one way in: it names the request, answers preflights, catches
// panics, and turns every failure into the error object.
func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	c := &call{API: a, w: w, r: r, id: a.ids.next()}
	h := w.Header()
	h["X-Request-Id"] = []string{c.id}
	defer func() { //nolint:contextcheck // the context is that of the call's request
		if p := recover(); p != nil {
			a.panicked(c, p)
		}
	}()
	defer func() {
		if c.held > 0 {
			a.bodies.give(c.key.Env, c.held)
		}
	}()
	if r.Method == http.MethodOptions || r.Header["Origin"] != nil {
		cors(h, r)
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	rep, err := a.dispatch(c) //nolint:contextcheck // the context is that of the call's request
	if err == nil {
		err = c.send(rep)
	}
	if err != nil {
		c.fail(err) //nolint:contextcheck // the context is that of the call's request
	}
}

// dispatch finds the route and runs it with the caller's rights.
func (a *API) dispatch(c *call) (reply, error) {
	u := *c.r.URL
	if strings.Contains(u.Path, "//") && (u.RawPath == "" || strings.Contains(u.RawPath, "//")) {
		return reply{}, &hook.Error{
			Code: hook.CodeNotFound, Detail: "The path has an empty segment.",
			Hint: "Remove the doubled slash: a server URL is given to clients without a trailing slash.",
		}
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	u.RawPath = strings.TrimSuffix(u.RawPath, "/")
	f := a.routes.find(c.r.Method, &u)
	switch {
	case f.route != nil:
	case len(f.allow) > 0:
		c.w.Header().Set("Allow", strings.Join(f.allow, ", "))
		return reply{}, &hook.Error{Code: hook.CodeMethod, Detail: "This path does not take " + methodName(c.r.Method) + "."}
	default:
		return reply{}, &hook.Error{Code: hook.CodeNotFound, Detail: "There is no such route.", Hint: "See /api/docs for the list of routes."}
	}
	// The stores keep microseconds; an answer shows the time that will be read back.
	c.route, c.values, c.now = f.route, f.values, a.Now().UTC().Truncate(time.Microsecond)
	if err := a.authorize(c); err != nil {
		return reply{}, err
	}
	rep, err := f.route.do(c)
	if err == nil {
		err = c.audit(&rep)
	}
	return rep, err
}

// methodName gives the method if it is a known one, so that an answer never
// repeats text of the request.
func methodName(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return m
	}
	return "this method"
}

// panicked answers 500 and logs where it happened.
func (a *API) panicked(c *call, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	a.Logger.ErrorContext(c.r.Context(), "handler panicked",
		"requestId", c.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	c.write(http.StatusInternalServerError, errorBody(&hook.Error{Code: hook.CodeInternal, Detail: internalDetail}, c.id))
}

// cors lets browsers of any origin call the API. A key is always in a header that
// script sets, so no credentials of the browser are involved or allowed.
func cors(h http.Header, r *http.Request) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After")
	if r.Method != http.MethodOptions {
		return
	}
	h.Set("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	h.Set("Access-Control-Max-Age", "600")
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	if wanted := r.Header.Get("Access-Control-Request-Headers"); wanted != "" {
		h.Set("Access-Control-Allow-Headers", wanted)
	}
}

// requestIDs names requests: a random start per process and a counter.
type requestIDs struct {
	start string
	count *atomic.Uint64
}

func newRequestIDs() requestIDs {
	return requestIDs{start: fmt.Sprintf("%08x-", rand.Uint32()), count: new(atomic.Uint64)}
}

func (ids requestIDs) next() string {
	var buf [32]byte
	return string(strconv.AppendUint(append(buf[:0], ids.start...), ids.count.Add(1), 36))
}
