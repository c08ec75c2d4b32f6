// Package move takes everything that a store holds to a file and back, and from
// one store to another, and seals its secrets anew under another master key.
//
// A backup is a gzip file of lines, each one JSON value:
//
//	{"format":"grapnel-backup","version":2,…}      header
//	["application",{"id":…},12]                    a record: kind, value, configuration number
//	["message",{"id":…,"body":"aGVsbG8="},3]
//	…
//	{"kinds":[{"kind":"message","count":1,"sum":…},…],"sha256":…}    trailer
//
// Records are those of hook.Record, in the order of their kinds; binary values
// are base64. The trailer has a count and a checksum of each kind and the SHA-256
// of all lines before it, so a file that was cut off, damaged or edited is refused.
//
// The checksum of a kind is the sum of the SHA-256 of its records, modulo 2^256:
// the same in whatever order a store gives them. So what a copy holds is compared
// with its source without either being sorted.
package move
