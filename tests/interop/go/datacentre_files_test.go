// SPDX-License-Identifier: MIT

package interop

import (
	"fmt"
	"slices"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
	"github.com/gotd/td/tgtest"
)

const (
	uploaderID   = 10 // whose all files are for gotd's file service
	fileHash     = 1<<60 + 1
	farName      = "far.bin" // lies at the other data centre, whoever sent it
	exportedText = "a login on its way"
)

// freshReference is good for a file; another one has expired.
var freshReference = []byte("fresh reference")

func (c *centres) registerFiles(d *tgtest.Dispatcher) {
	c.files.Register(d) // gotd's own takes the parts; it knows no documents, so these ask it by its kind of names
	on(c, d, tg.UploadSaveBigFilePartRequestTypeID, made[tg.UploadSaveBigFilePartRequest], (*centres).saveBigFilePart)
	on(c, d, tg.UploadGetFileRequestTypeID, made[tg.UploadGetFileRequest], (*centres).getFile)
	on(c, d, tg.MessagesSendMediaRequestTypeID, made[tg.MessagesSendMediaRequest], (*centres).sendMedia)
	on(c, d, tg.MessagesGetMessagesRequestTypeID, made[tg.MessagesGetMessagesRequest], (*centres).getMessages)
	on(c, d, tg.AuthExportAuthorizationRequestTypeID, made[tg.AuthExportAuthorizationRequest], (*centres).export)
	on(c, d, tg.AuthImportAuthorizationRequestTypeID, made[tg.AuthImportAuthorizationRequest], (*centres).importLogin)
}

// cut says whether the link is to be cut here: once, and only where transfers are to be cut.
func (c *centres) cut(here string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.cutTransfers && !c.dropped[here]
	c.dropped[here] = true
	return first
}

// saveBigFilePart takes parts of a file whose length is told with its last one, as Telegram does
// (https://core.telegram.org/api/files#streamed-uploads); gotd's takes no -1.
func (c *centres) saveBigFilePart(
	server *tgtest.Server, req *tgtest.Request, q *tg.UploadSaveBigFilePartRequest,
) (bin.Encoder, error) {
	if q.FilePart == 1 && c.cut("the second part") {
		server.ForceDisconnect(req.Session)
		return nil, nil
	}
	if q.FileTotalParts == -1 {
		q.FileTotalParts = q.FilePart + 2
	}
	if q.FileTotalParts <= q.FilePart {
		return nil, tgerr.New(400, "FILE_PARTS_INVALID")
	}
	if _, err := c.files.UploadSaveBigFilePart(req.RequestCtx, q); err != nil {
		return nil, err
	}
	return &tg.BoolTrue{}, nil
}

func (c *centres) export(
	_ *tgtest.Server, req *tgtest.Request, q *tg.AuthExportAuthorizationRequest,
) (bin.Encoder, error) {
	id, err := c.user(req)
	if err != nil {
		return nil, err
	}
	return &tg.AuthExportedAuthorization{ID: id, Bytes: []byte(fmt.Sprint(exportedText, id, q.DCID))}, nil
}

func (c *centres) importLogin(
	_ *tgtest.Server, req *tgtest.Request, q *tg.AuthImportAuthorizationRequest,
) (bin.Encoder, error) {
	if string(q.Bytes) != fmt.Sprint(exportedText, q.ID, req.DC) {
		return nil, tgerr.New(400, "AUTH_BYTES_INVALID")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.users[req.Session.AuthKey.ID] = q.ID
	return &tg.AuthAuthorization{User: me(int(q.ID - 1000))}, nil
}

// document is what was uploaded, once it is a message's.
func (c *centres) document(media tg.InputMediaClass) (*tg.Document, error) {
	uploaded, ok := media.(*tg.InputMediaUploadedDocument)
	if !ok {
		return nil, tgerr.New(400, "MEDIA_INVALID")
	}
	var id int64
	var name string
	switch file := uploaded.File.(type) {
	case *tg.InputFile:
		id, name = file.ID, file.Name
	case *tg.InputFileBig:
		id, name = file.ID, file.Name
	}
	stored, err := c.storage.Open(fmt.Sprintf("%d_%d", uploaderID, id))
	if err != nil || stored.Size() == 0 {
		return nil, tgerr.New(400, "FILE_PARTS_INVALID")
	}
	dc := home
	if name == farName {
		dc = away
	}
	return &tg.Document{
		ID: id, AccessHash: fileHash, FileReference: freshReference, MimeType: uploaded.MimeType, DCID: dc,
		Size: int64(stored.Size()), Attributes: uploaded.Attributes,
	}, nil
}

func (c *centres) sendMedia(
	_ *tgtest.Server, req *tgtest.Request, q *tg.MessagesSendMediaRequest,
) (bin.Encoder, error) {
	from, err := c.user(req)
	if err == nil {
		err = checkPeer(q.Peer)
	}
	if err != nil {
		return nil, err
	}
	document, err := c.document(q.Media)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.store(from, &tg.MessagesSendMessageRequest{Message: q.Message, RandomID: q.RandomID})
	m.SetMedia(&tg.MessageMediaDocument{Document: document})
	return &tg.Updates{
		Updates: []tg.UpdateClass{
			&tg.UpdateMessageID{ID: m.ID, RandomID: q.RandomID},
			&tg.UpdateNewMessage{Message: m, Pts: m.ID, PtsCount: 1},
		},
		Users: []tg.UserClass{me(req.DC), friend()},
	}, nil
}

func (c *centres) getMessages(
	_ *tgtest.Server, req *tgtest.Request, q *tg.MessagesGetMessagesRequest,
) (bin.Encoder, error) {
	if _, err := c.user(req); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	page := &tg.MessagesMessages{Users: []tg.UserClass{me(req.DC), friend()}}
	for _, wanted := range q.ID {
		id, ok := wanted.(*tg.InputMessageID)
		if ok && id.ID > 0 && id.ID <= len(c.messages) {
			page.Messages = append(page.Messages, c.messages[id.ID-1])
		} else {
			page.Messages = append(page.Messages, &tg.MessageEmpty{})
		}
	}
	return page, nil
}

func (c *centres) getFile(server *tgtest.Server, req *tgtest.Request, q *tg.UploadGetFileRequest) (bin.Encoder, error) {
	if _, err := c.user(req); err != nil {
		return nil, err
	}
	if q.Offset > 0 && c.cut("a later piece") {
		server.ForceDisconnect(req.Session)
		return nil, nil
	}
	location, ok := q.Location.(*tg.InputDocumentFileLocation)
	if !ok || location.AccessHash != fileHash {
		return nil, tgerr.New(400, "LOCATION_INVALID")
	}
	if !slices.Equal(location.FileReference, freshReference) {
		return nil, tgerr.New(400, "FILE_REFERENCE_EXPIRED")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.messages {
		media, _ := m.Media.(*tg.MessageMediaDocument)
		if media == nil || media.Document.(*tg.Document).ID != location.ID {
			continue
		}
		if dc := media.Document.(*tg.Document).DCID; dc != req.DC {
			return nil, tgerr.New(303, fmt.Sprintf("FILE_MIGRATE_%d", dc))
		}
		c.fetched++
		return c.files.UploadGetFile(req.RequestCtx, &tg.UploadGetFileRequest{
			Location: &tg.InputFileLocation{LocalID: uploaderID, VolumeID: location.ID}, Offset: q.Offset, Limit: q.Limit})
	}
	return nil, tgerr.New(400, "LOCATION_INVALID")
}
