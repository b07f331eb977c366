// SPDX-License-Identifier: MIT
// Go's net/http: a form of unknown length with $FILE, the file back, a range of it, one transfer each way cut off.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
)

var errCutOff = errors.New("cut off")

func do(method, path, kind string, body io.Reader, status int) (*http.Response, error) {
	request, err := http.NewRequest(method, os.Getenv("GATEWAY")+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-Session-String", os.Getenv("SESSION"))
	if method == "POST" {
		request.Header.Set("Content-Type", kind)
	} else if kind != "" {
		request.Header.Set("Range", kind)
	}
	response, err := http.DefaultClient.Do(request)
	if err == nil && response.StatusCode != status {
		text, _ := io.ReadAll(response.Body)
		err = fmt.Errorf("%s: %s %.300s", path, response.Status, text)
	}
	return response, err
}

func send(caption string, file io.Reader) (*http.Response, error) {
	body, pipe := io.Pipe()
	form := multipart.NewWriter(pipe)
	go func() {
		_ = form.WriteField("chat_id", "me")
		_ = form.WriteField("text", caption)
		part, _ := form.CreateFormFile("file", "noise.bin")
		_, err := io.Copy(part, file)
		_ = form.Close()
		_ = pipe.CloseWithError(err)
	}()
	return do("POST", "/messages/send_with_file", form.FormDataContentType(), body, http.StatusOK)
}

func fetch(path, span string, status int, want []byte) {
	response, err := do("GET", path, span, nil, status)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if got, err := io.ReadAll(response.Body); err != nil || !bytes.Equal(got, want) {
		log.Fatalf("%s: %d bytes that are not those %d: %v", span, len(got), len(want), err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errCutOff }

func main() {
	data, err := os.ReadFile(os.Getenv("FILE"))
	if err != nil {
		log.Fatal(err)
	}
	response, err := send("file by net/http", bytes.NewReader(data))
	if err != nil {
		log.Fatal(err)
	}
	var sent struct {
		ID int64 `json:"message_id"`
	}
	if err := json.NewDecoder(response.Body).Decode(&sent); err != nil {
		log.Fatal(err)
	}
	_ = response.Body.Close()
	media := fmt.Sprintf("/messages/media/%d?chat_id=me", sent.ID)
	fetch(media, "", http.StatusOK, data)
	fetch(media, "bytes=1000005-1001004", http.StatusPartialContent, data[1000005:1001005])

	if _, err := send("never", io.MultiReader(bytes.NewReader(data[:1<<20]), broken{})); !errors.Is(err, errCutOff) {
		log.Fatal("cut off: ", err)
	}
	response, err = do("GET", media, "", nil, http.StatusOK)
	if err != nil {
		log.Fatal(err)
	}
	first := make([]byte, 1000)
	if _, err := io.ReadFull(response.Body, first); err != nil || !bytes.HasPrefix(data, first) {
		log.Fatal("other bytes at first: ", err)
	}
	_ = response.Body.Close()
}
