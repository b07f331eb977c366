// SPDX-License-Identifier: MIT

package interop

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
	"github.com/gotd/td/tgtest"
	"github.com/gotd/td/tgtest/cluster"
	"github.com/gotd/td/tgtest/services/file"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// What the handlers of the foreign data centres know: one account at each, and a friend to talk to.
const (
	home, away  = 2, 1
	loginCode   = "54321"
	codeHash    = "hash of a code"
	friendID    = 4242
	friendName  = "friend"
	friendHash  = 1 << 60 // past 2^53, where numbers of JavaScript end
	floodText   = "too much"
	floodWait   = 17
	dropBefore  = "cut before"
	dropAfter   = "cut after"
	manyEntries = 300 // messages in a history that is worth compressing
)

var phoneHomes = map[string]int{"15550002": home, "15550001": away}

// centres is gotd's test server, two data centres of it, with the messages that were sent there.
type centres struct {
	cluster  *cluster.Cluster
	logs     *observer.ObservedLogs
	keys     []string // PEM files
	password *password
	storage  *file.InMemory
	files    *file.Service

	mu       sync.Mutex
	users    map[[8]byte]int64 // by auth key
	messages []*tg.Message
	random   map[int64]int // random_id to message id
	dropped  map[string]bool
	renamed  []string
	fetched  int // parts of files

	cutTransfers bool // set before the first request
}

func startCentres(t testing.TB) *centres {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	c := &centres{
		cluster: cluster.NewCluster(cluster.Options{Logger: zap.New(core)}), logs: logs,
		users: map[[8]byte]int64{}, random: map[int64]int{}, dropped: map[string]bool{}, storage: file.NewInMemory(),
	}
	c.files = file.NewService(file.Config{Storage: c.storage})
	var err error
	if c.password, err = newPassword(secondFactor); err != nil {
		t.Fatal(err)
	}
	for _, dc := range []int{home, away} {
		server, dispatcher := c.cluster.DC(dc, fmt.Sprintf("dc%d", dc))
		c.register(dispatcher)
		block := &pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(server.Key().RSA)}
		path := filepath.Join(t.TempDir(), fmt.Sprintf("dc%d.pem", dc))
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		c.keys = append(c.keys, path)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = c.cluster.Up(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() {
			c.tell(t)
		}
	})
	select {
	case <-c.cluster.Ready():
	case <-time.After(deadline):
		t.Fatal("gotd's server is not ready")
	}
	return c
}

// tell writes the end of the log of gotd's server.
func (c *centres) tell(t testing.TB) {
	const last = 30
	entries := c.logs.All()
	for _, entry := range entries[max(0, len(entries)-last):] {
		t.Log(entry.LoggerName, entry.Message, entry.ContextMap())
	}
}

// containers that came so far, from the log of gotd's server.
func (c *centres) containers() (n int) {
	for _, entry := range c.logs.FilterMessage("Got request").All() {
		if entry.ContextMap()["type"] == "message_container" {
			n++
		}
	}
	return n
}

// handler turns a request into its result.
type handler[T any] func(c *centres, server *tgtest.Server, req *tgtest.Request, query T) (bin.Encoder, error)

// on registers a handler of the queries of type T.
func on[T bin.Decoder](c *centres, d *tgtest.Dispatcher, id uint32, empty func() T, handle handler[T]) {
	d.HandleFunc(id, func(server *tgtest.Server, req *tgtest.Request) error {
		query := empty()
		if err := query.Decode(req.Buf); err != nil {
			return err
		}
		result, err := handle(c, server, req, query)
		if err != nil || result == nil {
			return err
		}
		return server.SendResult(req, result)
	})
}

func made[T any]() *T { return new(T) }

func (c *centres) register(d *tgtest.Dispatcher) {
	c.registerFiles(d)
	on(c, d, tg.AuthSendCodeRequestTypeID, made[tg.AuthSendCodeRequest], (*centres).sendCode)
	on(c, d, tg.AuthSignInRequestTypeID, made[tg.AuthSignInRequest], (*centres).signIn)
	on(c, d, tg.AccountGetPasswordRequestTypeID, made[tg.AccountGetPasswordRequest], (*centres).getPassword)
	on(c, d, tg.AuthCheckPasswordRequestTypeID, made[tg.AuthCheckPasswordRequest], (*centres).checkPassword)
	on(c, d, tg.AuthLogOutRequestTypeID, made[tg.AuthLogOutRequest], (*centres).logOut)
	on(c, d, tg.UsersGetUsersRequestTypeID, made[tg.UsersGetUsersRequest], (*centres).getUsers)
	on(c, d, tg.UsersGetFullUserRequestTypeID, made[tg.UsersGetFullUserRequest], (*centres).getFullUser)
	on(c, d, tg.AccountUpdateProfileRequestTypeID, made[tg.AccountUpdateProfileRequest], (*centres).updateProfile)
	on(c, d, tg.ContactsResolveUsernameRequestTypeID, made[tg.ContactsResolveUsernameRequest], (*centres).resolve)
	on(c, d, tg.MessagesSendMessageRequestTypeID, made[tg.MessagesSendMessageRequest], (*centres).send)
	on(c, d, tg.MessagesGetHistoryRequestTypeID, made[tg.MessagesGetHistoryRequest], (*centres).history)
	on(c, d, tg.MessagesGetDialogsRequestTypeID, made[tg.MessagesGetDialogsRequest], (*centres).dialogs)
}

// user is the account of the auth key, or the error that Telegram gives to strangers.
func (c *centres) user(req *tgtest.Request) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id, ok := c.users[req.Session.AuthKey.ID]; ok {
		return id, nil
	}
	return 0, tgerr.New(401, "AUTH_KEY_UNREGISTERED")
}

func (c *centres) sendCode(_ *tgtest.Server, req *tgtest.Request, q *tg.AuthSendCodeRequest) (bin.Encoder, error) {
	dc, known := phoneHomes[strings.TrimPrefix(q.PhoneNumber, "+")]
	if !known {
		return nil, tgerr.New(400, "PHONE_NUMBER_INVALID")
	}
	if dc != req.DC {
		return nil, tgerr.New(303, fmt.Sprintf("PHONE_MIGRATE_%d", dc))
	}
	return &tg.AuthSentCode{
		Type: &tg.AuthSentCodeTypeApp{Length: len(loginCode)}, PhoneCodeHash: fmt.Sprint(codeHash, dc),
	}, nil
}

func (c *centres) signIn(_ *tgtest.Server, req *tgtest.Request, q *tg.AuthSignInRequest) (bin.Encoder, error) {
	if q.PhoneCodeHash != fmt.Sprint(codeHash, req.DC) {
		return nil, tgerr.New(400, "PHONE_CODE_EXPIRED")
	}
	if q.PhoneCode != loginCode {
		return nil, tgerr.New(400, "PHONE_CODE_INVALID")
	}
	if req.DC == away {
		return nil, tgerr.New(401, "SESSION_PASSWORD_NEEDED")
	}
	return c.authorize(req), nil
}

func (c *centres) authorize(req *tgtest.Request) *tg.AuthAuthorization {
	self := me(req.DC)
	c.mu.Lock()
	c.users[req.Session.AuthKey.ID] = self.ID
	c.mu.Unlock()
	return &tg.AuthAuthorization{User: self}
}

func (c *centres) logOut(_ *tgtest.Server, req *tgtest.Request, _ *tg.AuthLogOutRequest) (bin.Encoder, error) {
	c.mu.Lock()
	delete(c.users, req.Session.AuthKey.ID)
	c.mu.Unlock()
	return &tg.AuthLoggedOut{}, nil
}

func me(dc int) *tg.User {
	return &tg.User{Self: true, ID: int64(1000 + dc), AccessHash: 77, FirstName: "Me", Phone: "1555000" + fmt.Sprint(dc)}
}

func friend() *tg.User {
	return &tg.User{ID: friendID, AccessHash: friendHash, FirstName: "Friend", Username: friendName}
}

func (c *centres) getUsers(_ *tgtest.Server, req *tgtest.Request, q *tg.UsersGetUsersRequest) (bin.Encoder, error) {
	if _, err := c.user(req); err != nil {
		return nil, err
	}
	found := &tg.UserClassVector{}
	for _, id := range q.ID {
		switch id := id.(type) {
		case *tg.InputUserSelf:
			found.Elems = append(found.Elems, me(req.DC))
		case *tg.InputUser:
			if id.UserID == friendID && id.AccessHash == friendHash {
				found.Elems = append(found.Elems, friend())
			}
		}
	}
	return found, nil
}

func (c *centres) getFullUser(
	_ *tgtest.Server, req *tgtest.Request, q *tg.UsersGetFullUserRequest,
) (bin.Encoder, error) {
	id, err := c.user(req)
	if err != nil {
		return nil, err
	}
	if _, ok := q.ID.(*tg.InputUserSelf); !ok {
		return nil, tgerr.New(400, "USER_ID_INVALID")
	}
	return &tg.UsersUserFull{FullUser: tg.UserFull{ID: id, About: "about me"}, Users: []tg.UserClass{me(req.DC)}}, nil
}

// updateProfile is executed, but its first answer is lost with the connection.
func (c *centres) updateProfile(
	server *tgtest.Server, req *tgtest.Request, q *tg.AccountUpdateProfileRequest,
) (bin.Encoder, error) {
	if _, err := c.user(req); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.renamed = append(c.renamed, q.FirstName)
	if len(c.renamed) == 1 {
		server.ForceDisconnect(req.Session)
		return nil, nil
	}
	return me(req.DC), nil
}

func (c *centres) resolve(
	_ *tgtest.Server, req *tgtest.Request, q *tg.ContactsResolveUsernameRequest,
) (bin.Encoder, error) {
	if _, err := c.user(req); err != nil {
		return nil, err
	}
	if q.Username != friendName {
		return nil, tgerr.New(400, "USERNAME_NOT_OCCUPIED")
	}
	return &tg.ContactsResolvedPeer{Peer: &tg.PeerUser{UserID: friendID}, Users: []tg.UserClass{friend()}}, nil
}

func checkPeer(peer tg.InputPeerClass) error {
	if p, ok := peer.(*tg.InputPeerUser); ok && p.UserID == friendID && p.AccessHash == friendHash {
		return nil
	}
	return tgerr.New(400, "PEER_ID_INVALID")
}

// send keeps the message. Some texts make trouble, each once.
func (c *centres) send(
	server *tgtest.Server, req *tgtest.Request, q *tg.MessagesSendMessageRequest,
) (bin.Encoder, error) {
	from, err := c.user(req)
	if err == nil {
		err = checkPeer(q.Peer)
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	first := !c.dropped[q.Message]
	c.dropped[q.Message] = true
	if q.Message == floodText {
		return nil, tgerr.New(420, fmt.Sprintf("FLOOD_WAIT_%d", floodWait))
	}
	if q.Message == dropBefore && first {
		server.ForceDisconnect(req.Session)
		return nil, nil
	}
	m := c.store(from, q)
	if q.Message == dropAfter && first {
		server.ForceDisconnect(req.Session)
		return nil, nil
	}
	return &tg.UpdateShortSentMessage{
		Out: true, ID: m.ID, Pts: m.ID, PtsCount: 1, Date: m.Date, Entities: m.Entities,
	}, nil
}

// store keeps a message once, however often its random_id comes.
func (c *centres) store(from int64, q *tg.MessagesSendMessageRequest) *tg.Message {
	if id, ok := c.random[q.RandomID]; ok {
		return c.messages[id-1]
	}
	m := &tg.Message{
		Out: true, ID: len(c.messages) + 1, FromID: &tg.PeerUser{UserID: from}, PeerID: &tg.PeerUser{UserID: friendID},
		Date: 1700000000 + len(c.messages), Message: q.Message, Entities: q.Entities,
	}
	c.messages = append(c.messages, m)
	c.random[q.RandomID] = m.ID
	return m
}

// texts is what was sent, the oldest first.
func (c *centres) texts() (texts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.messages {
		texts = append(texts, m.Message)
	}
	return texts
}

// history answers compressed.
func (c *centres) history(
	server *tgtest.Server, req *tgtest.Request, q *tg.MessagesGetHistoryRequest,
) (bin.Encoder, error) {
	if _, err := c.user(req); err != nil {
		return nil, err
	}
	if err := checkPeer(q.Peer); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	page := &tg.MessagesMessagesSlice{Count: len(c.messages), Users: []tg.UserClass{me(req.DC), friend()}}
	for i := len(c.messages); i > 0 && len(page.Messages) < q.Limit; i-- {
		if m := c.messages[i-1]; q.OffsetID == 0 || m.ID < q.OffsetID {
			page.Messages = append(page.Messages, m)
		}
	}
	return nil, server.SendGZIP(req, page)
}

func (c *centres) dialogs(
	_ *tgtest.Server, req *tgtest.Request, q *tg.MessagesGetDialogsRequest,
) (bin.Encoder, error) {
	if _, err := c.user(req); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	list := &tg.MessagesDialogs{Users: []tg.UserClass{me(req.DC), friend()}}
	if len(c.messages) > 0 {
		last := c.messages[len(c.messages)-1]
		list.Messages = []tg.MessageClass{last}
		list.Dialogs = []tg.DialogClass{&tg.Dialog{Peer: last.PeerID, TopMessage: last.ID}}
	}
	return list, nil
}
