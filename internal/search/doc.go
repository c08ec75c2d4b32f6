// Package search is the one search language of Grapnel's lists, of the parameter q of
// the API and of --filter of the CLI. docs/search.md describes it for its users.
//
//	query = all { "OR" all }
//	all   = term { term }                         every term must fit
//	term  = [ "-" ] ( "(" query ")" | FIELD rel values | WORD )
//	rel   = ":" [ ">" | ">=" | "<" | "<=" | "~" ] | ">" | ">=" | "<" | "<="
//	values = value { "," value }                  one of them must fit
//	value = TEXT | TEXT "*" | "*" | [ TEXT ] ".." [ TEXT ] | quoted text
//
// A List says which fields a list has and where a row keeps their values. Its Parse
// gives a Query, which decides about rows; what of it a store can decide by an index is
// read off with Demanded and Between. Everything here is pure: the time comes in.
package search
