// SPDX-License-Identifier: MIT
// Go's net/http: two requests one after the other, a chunked body, a request that is aborted amid its body.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

func do(ctx context.Context, method, path string, body io.Reader) error {
	request, err := http.NewRequestWithContext(ctx, method, os.Getenv("GATEWAY")+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("X-Session-String", os.Getenv("SESSION"))
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(path + ": " + response.Status + " " + string(text))
	}
	return err
}

// A reader that is no bytes.Reader has no length, so the body goes in chunks.
type unsized struct{ io.Reader }

func main() {
	background := context.Background()
	for i := 0; i < 2; i++ {
		if err := do(background, "GET", "/me", nil); err != nil {
			log.Fatal(err)
		}
	}
	parts := io.MultiReader(strings.NewReader(`{"chat_id":"me",`), strings.NewReader(`"text":"chunked by net/http"}`))
	if err := do(background, "POST", "/messages/send", unsized{parts}); err != nil {
		log.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(background, 100*time.Millisecond)
	defer cancel()
	reader, writer := io.Pipe()
	// The transport waits for a body's reader, so that one ends with the request too.
	context.AfterFunc(ctx, func() { _ = writer.CloseWithError(ctx.Err()) })
	go func() { _, _ = writer.Write([]byte(`{"chat_id":"me","text":"never`)) }()
	if err := do(ctx, "POST", "/messages/send", reader); !errors.Is(err, context.DeadlineExceeded) {
		log.Fatal("aborted: ", err)
	}
}
