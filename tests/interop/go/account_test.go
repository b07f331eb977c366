// SPDX-License-Identifier: MIT

package interop

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/gotd/td/mtproxy"
	"github.com/gotd/td/mtproxy/obfuscator"
	"github.com/gotd/td/rpc"
	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/telegram/updates"
	updhook "github.com/gotd/td/telegram/updates/hook"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/transport"
)

// link is how a client reaches the sandbox; it can be cut as a cable can.
type link struct {
	tag      *[4]byte // of the obfuscated transport, nil for the plain one
	protocol transport.Protocol

	mu    sync.Mutex
	conns []net.Conn
	down  bool
}

func plainLink(protocol transport.Protocol) *link { return &link{protocol: protocol} }

func obfuscatedLink(protocol transport.Protocol, tag byte) *link {
	return &link{protocol: transport.NewProtocol(protocol.CodecNoHeader), tag: &[4]byte{tag, tag, tag, tag}}
}

func (l *link) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		_ = conn.Close()
		return nil, fmt.Errorf("the link is down")
	}
	l.conns = append(l.conns, conn)
	if l.tag == nil {
		return conn, nil
	}
	obfuscated := obfuscator.Obfuscated2(rand.Reader, conn)
	return obfuscated, obfuscated.Handshake(*l.tag, 2, mtproxy.Secret{})
}

func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for _, conn := range l.conns {
		_ = conn.Close()
	}
	l.conns = nil
}

func (l *link) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

// account is a running client of gotd.
type account struct {
	client   *telegram.Client
	api      *tg.Client
	gaps     *updates.Manager
	messages chan *tg.Message
	ctx      context.Context
	stop     func() // ends the client, once
	self     *tg.User
}

type options struct {
	link    *link
	pfs     bool
	storage session.Storage
}

// connect starts a client, which has its auth key when this returns.
func connect(t testing.TB, s *sandbox, o options) *account {
	t.Helper()
	if o.link == nil {
		o.link = obfuscatedLink(transport.Intermediate, 0xee)
	}
	if o.storage == nil {
		o.storage = &session.StorageMemory{}
	}
	a := &account{messages: make(chan *tg.Message, 1024)}
	dispatcher := tg.NewUpdateDispatcher()
	dispatcher.OnNewMessage(func(_ context.Context, _ tg.Entities, u *tg.UpdateNewMessage) error {
		return a.receive(u.Message)
	})
	dispatcher.OnNewChannelMessage(func(_ context.Context, _ tg.Entities, u *tg.UpdateNewChannelMessage) error {
		return a.receive(u.Message)
	})
	a.gaps = updates.New(updates.Config{Handler: dispatcher})
	a.client = telegram.NewClient(1, "0123456789abcdef0123456789abcdef", telegram.Options{
		PublicKeys:          []telegram.PublicKey{{RSA: s.key}},
		DC:                  2,
		DCList:              dcs.List{Options: s.addresses()},
		Resolver:            dcs.Plain(dcs.PlainOptions{Protocol: o.link.protocol, Dial: o.link.dial}),
		SessionStorage:      o.storage,
		UpdateHandler:       a.gaps,
		Middlewares:         []telegram.Middleware{updhook.UpdateHook(a.gaps.Handle)},
		EnablePFS:           o.pfs,
		ReconnectionBackoff: func() backoff.BackOff { return backoff.NewConstantBackOff(20 * time.Millisecond) },
	})
	a.run(t)
	return a
}

func (a *account) receive(message tg.MessageClass) error {
	if m, ok := message.(*tg.Message); ok && !m.Out {
		a.messages <- m
	}
	return nil
}

func (a *account) run(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), testDeadline)
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- a.client.Run(ctx, func(ctx context.Context) error {
			a.ctx = ctx
			close(ready)
			<-ctx.Done()
			return nil
		})
	}()
	a.stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(a.stop)
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("the client ended: %v", err)
	case <-time.After(deadline):
		t.Fatal("the client did not get ready")
	}
	a.api = a.client.API()
}

func (s *sandbox) addresses() (list []tg.DCOption) {
	for dc, port := range s.ports {
		number, _ := strconv.Atoi(port)
		list = append(list, tg.DCOption{ID: dc, IPAddress: "127.0.0.1", Port: number})
	}
	return list
}

// person answers what a login asks.
type person struct {
	auth.UserAuthenticator
	first string
}

func (p person) SignUp(context.Context) (auth.UserInfo, error) {
	return auth.UserInfo{FirstName: p.first, LastName: "Gopher"}, nil
}

func (p person) AcceptTermsOfService(context.Context, tg.HelpTermsOfService) error { return nil }

func flow(phone, code, password, first string) auth.Flow {
	answer := auth.CodeAuthenticatorFunc(func(context.Context, *tg.AuthSentCode) (string, error) { return code, nil })
	return auth.NewFlow(person{auth.Constant(phone, password, answer), first}, auth.SendCodeOptions{})
}

// login goes through gotd's own flow, signing up where there is no account, and follows updates from then on.
func (a *account) login(t testing.TB, phone, code, password string) {
	t.Helper()
	if err := flow(phone, code, password, "Go"+phone[len(phone)-4:]).Run(a.ctx, a.client.Auth()); err != nil {
		t.Fatalf("login of %s: %v", phone, err)
	}
	a.follow(t)
}

func (a *account) follow(t testing.TB) {
	t.Helper()
	self, err := a.client.Self(a.ctx)
	if err != nil {
		t.Fatal(err)
	}
	a.self = self
	started := make(chan struct{})
	go func() {
		_ = a.gaps.Run(a.ctx, a.api, self.ID, updates.AuthOptions{OnStart: func(context.Context) { close(started) }})
	}()
	select {
	case <-started:
	case <-time.After(deadline):
		t.Fatal("no state of updates")
	}
}

var numbers = struct {
	sync.Mutex
	next int
}{next: 5000}

// newNumber has no account yet; it lives at data centre 2 and its code is 22222.
func newNumber() string {
	numbers.Lock()
	defer numbers.Unlock()
	numbers.next++
	return fmt.Sprintf("+999662%04d", numbers.next)
}

// newcomer signs up and is logged in.
func newcomer(t testing.TB, s *sandbox, o options) *account {
	t.Helper()
	a := connect(t, s, o)
	a.login(t, newNumber(), "22222", "")
	return a
}

// named makes the account reachable by a username, and returns its peer as seen by other.
func (a *account) seenBy(t testing.TB, other *account) tg.InputPeerClass {
	t.Helper()
	name := fmt.Sprintf("gopher_%d", a.self.ID)
	if _, err := a.api.AccountUpdateUsername(a.ctx, name); err != nil && !tg.IsUsernameNotModified(err) {
		t.Fatal(err)
	}
	return other.resolve(t, name)
}

func (a *account) resolve(t testing.TB, name string) tg.InputPeerClass {
	t.Helper()
	found, err := a.api.ContactsResolveUsername(a.ctx, &tg.ContactsResolveUsernameRequest{Username: name})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, u := range found.Users {
		if user, ok := u.(*tg.User); ok && len(found.Chats) == 0 {
			return user.AsInputPeer()
		}
	}
	return found.Chats[0].(*tg.Channel).AsInputPeer()
}

func (a *account) send(t testing.TB, to tg.InputPeerClass, text string) {
	t.Helper()
	id, err := a.client.RandInt64()
	if err != nil {
		t.Fatal(err)
	}
	request := &tg.MessagesSendMessageRequest{Peer: to, Message: text, RandomID: id}
	err = again(func() error { _, err := a.api.MessagesSendMessage(a.ctx, request); return err })
	if err != nil {
		t.Fatalf("send %q: %v", text, err)
	}
}

// again repeats what was in flight when the connection went down, which gotd leaves to its caller.
func again(call func() error) (err error) {
	const pause = 10 * time.Millisecond // gotd tells nobody that it is connected again
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(pause) {
		err = call()
		if !errors.Is(err, rpc.ErrEngineClosed) && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return err
}

// expect waits for the next message that comes in by an update.
func (a *account) expect(t testing.TB, text string) *tg.Message {
	t.Helper()
	select {
	case m := <-a.messages:
		if m.Message != text {
			t.Fatalf("%q came where %q was due", m.Message, text)
		}
		return m
	case <-time.After(deadline):
		t.Fatalf("%q did not come", text)
	}
	return nil
}

// history is the texts of a chat, newest first.
func (a *account) history(t testing.TB, peer tg.InputPeerClass) (texts []string) {
	t.Helper()
	var page tg.MessagesMessagesClass
	err := again(func() (err error) {
		page, err = a.api.MessagesGetHistory(a.ctx, &tg.MessagesGetHistoryRequest{Peer: peer, Limit: 100})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	modified, _ := page.AsModified()
	for _, message := range modified.GetMessages() {
		if m, ok := message.(*tg.Message); ok {
			texts = append(texts, m.Message)
		}
	}
	return texts
}
