package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxParams is the most path parameters a route has.
const maxParams = 4

// router finds routes by method and path. Literal segments win over parameters;
// where the literal branch lacks the method, the parameter's branch is tried.
type router struct{ root node }

type node struct {
	literal map[string]*node
	param   *node
	routes  map[string]*route // by method
}

// found is what the router knows about a request. Without a route, allow holds
// the methods that the path has; it is empty for an unknown path.
type found struct {
	route  *route
	values [maxParams]string
	allow  []string
}

func (rt *router) add(r *route) {
	n := &rt.root
	for seg := range strings.SplitSeq(strings.TrimPrefix(r.path, "/"), "/") {
		if name, ok := strings.CutPrefix(seg, "{"); ok {
			r.params = append(r.params, strings.TrimSuffix(name, "}"))
			if n.param == nil {
				n.param = &node{}
			}
			n = n.param
			continue
		}
		if n.literal == nil {
			n.literal = map[string]*node{}
		}
		if n.literal[seg] == nil {
			n.literal[seg] = &node{}
		}
		n = n.literal[seg]
	}
	if n.routes == nil {
		n.routes = map[string]*route{}
	}
	n.routes[r.method] = r
}

// find matches a request. A segment is decoded after the path is split, so that
// an encoded slash stays part of its value.
func (rt *router) find(method string, u *url.URL) found {
	var f found
	path, encoded := u.Path, false
	if u.RawPath != "" {
		path, encoded = u.RawPath, true
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	rt.root.match(method, strings.TrimPrefix(path, "/"), encoded, 0, &f)
	slices.Sort(f.allow)
	f.allow = slices.Compact(f.allow)
	return f
}

func (n *node) match(method, path string, encoded bool, depth int, f *found) bool {
	seg, rest, more := strings.Cut(path, "/")
	next := func(child *node, depth int) bool {
		if more {
			return child.match(method, rest, encoded, depth, f)
		}
		return child.end(method, f)
	}
	if child := n.literal[seg]; child != nil && next(child, depth) {
		return true
	}
	if n.param == nil || seg == "" || depth == maxParams {
		return false
	}
	if encoded {
		decoded, err := url.PathUnescape(seg)
		if err != nil {
			return false
		}
		seg = decoded
	}
	f.values[depth] = seg
	return next(n.param, depth+1)
}

func (n *node) end(method string, f *found) bool {
	if r := n.routes[method]; r != nil {
		f.route, f.allow = r, nil
		return true
	}
	for m := range n.routes {
		f.allow = append(f.allow, m)
		if m == http.MethodGet {
			f.allow = append(f.allow, http.MethodHead)
		}
	}
	return false
}
