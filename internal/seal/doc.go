// Package seal keeps secrets secret: it encrypts them at rest under a master key that
// lives outside the database, and hides them from printers while they are in memory.
//
// A sealed secret is
//
//	1 byte    format, now 1
//	8 bytes   id of the key that sealed it
//	12 bytes  random nonce
//	n bytes   the secret under AES-256-GCM
//	16 bytes  tag
//
// The first nine bytes and a context are authenticated with it. The context says
// what the secret is for, such as the table, column and id of its row: a sealed
// secret that is moved to another row does not open there.
//
// Random nonces are safe for 2^32 secrets under one key (NIST SP 800-38D), far
// more than there are endpoints.
package seal
