// Package embed holds the script that article pages load: TypeScript in src,
// and the one small file that is made of it and kept beside it, so that
// building the program needs no further tool.
package embed

import _ "embed"

//go:generate go run ./build

// Script is the script as browsers get it: minified, in UTF-8.
//
//go:embed support.js
var Script []byte
