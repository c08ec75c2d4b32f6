// Package ingest is the way in for webhooks of others: it finds the source of a
// URL, verifies the raw bytes, and has them stored as a message before it answers.
//
//	limits -> source -> address, certificate, rate -> body -> signature ->
//	handshake -> key and type -> one Accept: request, message, routes -> answer
//
// A request that is not believed or not taken is answered without a reason. The
// reason goes into the request log of the source, where the owner can have it
// verified again later; so do duplicates and handshakes. This log has a budget of
// its own (see recorder) and keeps no answer waiting.
//
// Every decision apart from I/O is a function of its own: splitPath, dedupeKey,
// eventType, answerOf, latestFiring and so on.
package ingest
