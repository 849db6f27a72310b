// Package bundle turns the embed's TypeScript and style sheet into one script.
// It is for building and for the test that the kept script is up to date; the
// service does not link it.
package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Make returns the script made from main.ts in the folder dir.
func Make(dir string) ([]byte, error) { return Module(dir, "main.ts", "") }

// Module returns the script made from one file of the folder dir. With a name
// it defines a global of that name which holds the file's exports, for tests.
func Module(dir, file, name string) ([]byte, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	result := api.Build(api.BuildOptions{
		EntryPoints:       []string{filepath.Join(dir, file)},
		AbsWorkingDir:     dir,
		Bundle:            true,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		// adoptedStyleSheets, which the element needs, came with these or later.
		Engines: []api.Engine{
			{Name: api.EngineChrome, Version: "103"}, {Name: api.EngineFirefox, Version: "101"}, {Name: api.EngineSafari, Version: "16.4"},
		},
		Format:        api.FormatIIFE,
		GlobalName:    name,
		LegalComments: api.LegalCommentsNone,
		Charset:       api.CharsetUTF8,
		Plugins:       []api.Plugin{{Name: "style", Setup: func(b api.PluginBuild) { b.OnLoad(api.OnLoadOptions{Filter: `\.css$`}, style) }}},
	})
	if len(result.Errors) > 0 {
		return nil, errors.New(strings.Join(api.FormatMessages(result.Errors, api.FormatMessagesOptions{}), "\n"))
	}
	return result.OutputFiles[0].Contents, nil
}

// style loads a style sheet, with the design tokens it uses, as a minified
// string.
func style(args api.OnLoadArgs) (api.OnLoadResult, error) {
	source, err := os.ReadFile(args.Path)
	if err != nil {
		return api.OnLoadResult{}, err
	}
	result := api.Transform(shortened(tokens(".ask", string(source))+string(source)), api.TransformOptions{
		Loader:           api.LoaderCSS,
		MinifyWhitespace: true,
		MinifySyntax:     true,
	})
	text := strings.TrimSpace(string(result.Code))
	return api.OnLoadResult{Contents: &text, Loader: api.LoaderText, Errors: result.Errors}, nil
}
