// Package bench measures how fast gifts are recorded, beside a floor measured
// in the same run on the same database: `make bench`. It has no other code.
package bench
