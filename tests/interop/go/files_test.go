// SPDX-License-Identifier: MIT

package interop

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"math/rand"
	"strings"
	"testing"

	"github.com/gotd/td/telegram/downloader"
	"github.com/gotd/td/telegram/message"
	"github.com/gotd/td/telegram/uploader"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/transport"
)

const mebibyte = 1 << 20

// noise is the same in every run, and other for each size.
func noise(size int) []byte {
	data := make([]byte, size)
	_, _ = rand.New(rand.NewSource(int64(size))).Read(data)
	return data
}

func (a *account) upload(to tg.InputPeerClass, name string, data []byte) *message.UploadBuilder {
	up := uploader.NewUploader(a.api).WithPartSize(uploader.MaximumPartSize)
	return message.NewSender(a.api).WithUploader(up).To(to).Upload(message.Upload(
		func(ctx context.Context, u message.Uploader) (tg.InputFileClass, error) {
			return u.FromBytes(ctx, name, data)
		}))
}

// download fetches what a message shows by gotd's own downloader.
func (a *account) download(t testing.TB, m *tg.Message) []byte {
	t.Helper()
	var location tg.InputFileLocationClass
	switch media := m.Media.(type) {
	case *tg.MessageMediaDocument:
		location = media.Document.(*tg.Document).AsInputDocumentFileLocation()
	case *tg.MessageMediaPhoto:
		photo := media.Photo.(*tg.Photo)
		location = &tg.InputPhotoFileLocation{
			ID: photo.ID, AccessHash: photo.AccessHash, FileReference: photo.FileReference,
			ThumbSize: photo.Sizes[len(photo.Sizes)-1].GetType(),
		}
	default:
		t.Fatalf("no file in %v", m.Media)
	}
	var data bytes.Buffer
	if _, err := downloader.NewDownloader().Download(a.api, location).Stream(a.ctx, &data); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func TestFiles(t *testing.T) {
	s := startSandbox(t)
	for _, c := range []struct {
		name string
		size int
		link *link
	}{
		{"abridged", 5*mebibyte + 17, plainLink(transport.Abridged)},
		{"full", 5*mebibyte + 18, plainLink(transport.Full)},
		{"obfuscated_padded_big", 12*mebibyte + 1, obfuscatedLink(transport.PaddedIntermediate, 0xdd)},
	} {
		t.Run(c.name, func(t *testing.T) {
			one, two := newcomer(t, s, options{link: c.link}), newcomer(t, s, options{})
			data := noise(c.size)
			if _, err := one.upload(two.seenBy(t, one), "noise.bin", data).File(one.ctx); err != nil {
				t.Fatal(err)
			}
			if got := two.download(t, two.expect(t, "")); !bytes.Equal(got, data) {
				t.Errorf("%d bytes came back as %d others", len(data), len(got))
			}
		})
	}
}

func TestPhoto(t *testing.T) {
	s := startSandbox(t)
	one, two := newcomer(t, s, options{}), newcomer(t, s, options{})
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 320, 200))); err != nil {
		t.Fatal(err)
	}
	if _, err := one.upload(two.seenBy(t, one), "photo.png", picture.Bytes()).Photo(one.ctx); err != nil {
		t.Fatal(err)
	}
	if got := two.download(t, two.expect(t, "")); !bytes.Equal(got, picture.Bytes()) {
		t.Errorf("a photo of %d bytes came back as %d others", picture.Len(), len(got))
	}
}

// The demo world has a file on a data centre where its readers do not live; gotd follows FILE_MIGRATE.
func TestFileElsewhere(t *testing.T) {
	s := startSandbox(t)
	a := newcomer(t, s, options{})
	found, err := a.api.MessagesSearch(a.ctx, &tg.MessagesSearchRequest{
		Peer: a.resolve(t, "sandbox_news"), Q: "far away", Filter: &tg.InputMessagesFilterEmpty{}, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	page, _ := found.AsModified()
	far := page.GetMessages()[0].(*tg.Message)
	document := far.Media.(*tg.MessageMediaDocument).Document.(*tg.Document)
	if document.DCID == 2 {
		t.Fatal("the file is at home")
	}
	if got := a.download(t, far); int64(len(got)) != document.Size {
		t.Errorf("%d bytes of %d", len(got), document.Size)
	}
	if imported := strings.Join(s.run(t, "stats auth.importAuthorization"), ""); !strings.Contains(imported, "executed=") {
		t.Error("nobody logged in at the other data centre")
	}
}
