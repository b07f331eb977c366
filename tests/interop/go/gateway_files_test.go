// SPDX-License-Identifier: MIT

package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"testing"
)

// sendFile streams a form, whose length nobody knows before its end.
func (c *caller) sendFile(t testing.TB, name string, data []byte) answer {
	t.Helper()
	body, pipe := io.Pipe()
	form := multipart.NewWriter(pipe)
	go func() {
		_ = form.WriteField("chat_id", "@"+friendName)
		part, _ := form.CreateFormFile("file", name)
		_, err := io.Copy(part, bytes.NewReader(data))
		_ = form.Close()
		_ = pipe.CloseWithError(err)
	}()
	response := c.raw(t, "POST", "/messages/send_with_file", body, http.Header{"Content-Type": {form.FormDataContentType()}})
	defer func() { _ = response.Body.Close() }()
	a := answer{Status: response.StatusCode, Header: response.Header}
	if err := json.NewDecoder(response.Body).Decode(&a.Body); err != nil || a.Status != 200 {
		t.Fatalf("sending %s: status %d: %v %v", name, a.Status, a.Body, err)
	}
	return a
}

func (c *caller) raw(t testing.TB, method, path string, body io.Reader, header http.Header) *http.Response {
	t.Helper()
	request, err := http.NewRequest(method, c.gateway.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	request.Header.Set("X-Session-String", c.session)
	response, err := c.gateway.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// media fetches the file of a message, or a range of it.
func (c *caller) media(t testing.TB, status int, message, span string) []byte {
	t.Helper()
	header := http.Header{}
	if span != "" {
		header.Set("Range", span)
	}
	response := c.raw(t, "GET", fmt.Sprintf("/messages/media/%s?chat_id=@%s", message, friendName), nil, header)
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		t.Fatalf("media of %s: status %d, not %d: %v %.200s", message, response.StatusCode, status, err, data)
	}
	return data
}

// Of files that gotd's file service takes all parts are of one length.
func TestGatewayFiles(t *testing.T) {
	for _, c := range []struct {
		name string
		size int
		cut  bool
	}{
		{"small.bin", 5 * mebibyte, false}, {"big.bin", 12 * mebibyte, false}, {farName, 3 * mebibyte, false},
		{"cut.bin", 5 * mebibyte, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			centres := startCentres(t)
			centres.cutTransfers = c.cut
			caller := login(t, startGateway(t, centres), "+15550002")
			data := noise(c.size)
			sent := caller.sendFile(t, c.name, data).text("message_id")
			if got := caller.media(t, 200, sent, ""); !bytes.Equal(got, data) {
				t.Errorf("%d bytes came back as %d others", len(data), len(got))
			}
			centres.mu.Lock()
			fetched := centres.fetched
			centres.mu.Unlock()
			span := fmt.Sprintf("bytes=%d-%d", mebibyte+5, mebibyte+1004)
			if got := caller.media(t, 206, sent, span); !bytes.Equal(got, data[mebibyte+5:mebibyte+1005]) {
				t.Errorf("%s are %d other bytes", span, len(got))
			}
			centres.mu.Lock()
			defer centres.mu.Unlock()
			if more := centres.fetched - fetched; more != 1 {
				t.Errorf("a thousand bytes took %d requests", more)
			}
		})
	}
}
