// Package apitype holds the wire shapes of the HTTP API under /api/v1: what a
// request body may carry and what an answer holds, as structs and tags.
//
// Input types end in In, Update or Patch, output types in Out. Members that a
// caller may leave out are [Optional], so that a handler can tell an absent
// member from a null and from a value: a PATCH keeps what is absent and clears
// what is null; a POST or PUT treats both as "use the default".
//
// Some facts have an older and a newer name, because clients of two generations
// are served. Answers carry both names with the same value. On input the newer
// name wins where it is present, see [Optional.Or]:
//
//	eventTypes    over  filterTypes
//	throttleRate  over  rateLimit
//	featureFlags  over  featureFlag
//	payload       over  data
//
// In answers a map or list that is not marked as nullable is never null, since
// clients iterate over it without asking: fill it with an empty one.
//
// The tags doc, format, example, enum, minimum, maximum, minLength, maxLength,
// minItems, maxItems, nullable, deprecated and hidden describe the members for the
// OpenAPI document. They do not validate: the server does, and answers with an
// [Error] whose Detail lists each wrong member.
package apitype
