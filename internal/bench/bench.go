// Package bench measures how fast gifts are recorded, beside a floor measured
// in the same run on the same database, and how fast reports are, beside the
// same questions asked of the donations: `make bench`. It has no other code.
package bench
