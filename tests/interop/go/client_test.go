// SPDX-License-Identifier: MIT

package interop

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
	"github.com/gotd/td/transport"
)

// walk is what every transport must carry: sign-up, messages both ways with live updates, history, dialogs.
func walk(t *testing.T, s *sandbox, o func() options) {
	one, two := newcomer(t, s, o()), newcomer(t, s, o())
	toTwo, toOne := two.seenBy(t, one), one.seenBy(t, two)
	one.send(t, toTwo, "hello")
	two.expect(t, "hello")
	two.send(t, toOne, "hello yourself")
	one.expect(t, "hello yourself")
	long := strings.Repeat("gopher ", 580) // over gotd's threshold for gzip
	one.send(t, toTwo, strings.TrimSpace(long))
	two.expect(t, strings.TrimSpace(long))
	want := []string{strings.TrimSpace(long), "hello yourself", "hello"}
	if got := one.history(t, toTwo); !slices.Equal(got, want) {
		t.Errorf("history of the one: %q", got)
	}
	if got := two.history(t, toOne); !slices.Equal(got, want) {
		t.Errorf("history of the other: %q", got)
	}
	one.hasDialog(t, two.self.ID)
	echo := one.resolve(t, "echo")
	one.send(t, echo, "is anybody there?")
	one.expect(t, "is anybody there?")
}

func (a *account) hasDialog(t *testing.T, user int64) {
	t.Helper()
	page, err := a.api.MessagesGetDialogs(a.ctx, &tg.MessagesGetDialogsRequest{
		OffsetPeer: &tg.InputPeerEmpty{}, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	modified, _ := page.AsModified()
	for _, dialog := range modified.GetDialogs() {
		if peer, ok := dialog.GetPeer().(*tg.PeerUser); ok && peer.UserID == user {
			return
		}
	}
	t.Errorf("no dialog with %d in %v", user, modified.GetDialogs())
}

func TestTransports(t *testing.T) {
	s := startSandbox(t)
	for _, c := range []struct {
		name string
		link func() *link
	}{
		{"abridged", func() *link { return plainLink(transport.Abridged) }},
		{"intermediate", func() *link { return plainLink(transport.Intermediate) }},
		{"padded", func() *link { return plainLink(transport.PaddedIntermediate) }},
		{"full", func() *link { return plainLink(transport.Full) }},
		{"obfuscated_abridged", func() *link { return obfuscatedLink(transport.Abridged, 0xef) }},
		{"obfuscated_intermediate", func() *link { return obfuscatedLink(transport.Intermediate, 0xee) }},
		{"obfuscated_padded", func() *link { return obfuscatedLink(transport.PaddedIntermediate, 0xdd) }},
	} {
		t.Run(c.name, func(t *testing.T) { walk(t, s, func() options { return options{link: c.link()} }) })
	}
}

func TestTemporaryKeys(t *testing.T) {
	s := startSandbox(t)
	walk(t, s, func() options { return options{pfs: true} })
	bound := false
	for _, line := range s.run(t, "stats") {
		bound = bound || strings.HasPrefix(line, "auth.bindTempAuthKey ")
	}
	if !bound {
		t.Error("no temporary key was bound")
	}
}

func TestTemporaryKeysReconnect(t *testing.T) {
	s := startSandbox(t)
	reconnect(t, s, true)
}

func TestLogin(t *testing.T) {
	s := startSandbox(t)

	t.Run("code", func(t *testing.T) {
		a := connect(t, s, options{})
		a.login(t, "+9996620001", "22222", "")
		if a.self.Username != "alice" {
			t.Errorf("logged in as %q", a.self.Username)
		}
	})

	t.Run("wrong_code", func(t *testing.T) {
		a := connect(t, s, options{})
		err := flow("+9996620001", "33333", "", "").Run(a.ctx, a.client.Auth())
		if !tg.IsPhoneCodeInvalid(err) {
			t.Errorf("a wrong code: %v", err)
		}
	})

	t.Run("two_factors", func(t *testing.T) {
		a := connect(t, s, options{})
		err := flow("+9996620003", "22222", "wrong horse", "").Run(a.ctx, a.client.Auth())
		if !errors.Is(err, auth.ErrPasswordInvalid) {
			t.Fatalf("a wrong password: %v", err)
		}
		if _, err := a.client.Auth().Password(a.ctx, "correct horse"); err != nil {
			t.Fatalf("the right password after a wrong one: %v", err)
		}
		a.follow(t)
		if a.self.Username != "carol" {
			t.Errorf("logged in as %q", a.self.Username)
		}
	})

	t.Run("sign_up", func(t *testing.T) {
		phone := newNumber()
		a := connect(t, s, options{})
		a.login(t, phone, "22222", "")
		if want := "Go" + phone[len(phone)-4:]; a.self.FirstName != want || a.self.LastName != "Gopher" {
			t.Errorf("signed up as %q %q", a.self.FirstName, a.self.LastName)
		}
		again := connect(t, s, options{})
		again.login(t, phone, "22222", "")
		if again.self.ID != a.self.ID {
			t.Errorf("user %d logs in as %d", a.self.ID, again.self.ID)
		}
	})

	t.Run("other_data_centre", func(t *testing.T) {
		a := connect(t, s, options{})
		a.login(t, "+9996630001", "33333", "")
		if a.self.Username != "erin_e" {
			t.Errorf("logged in as %q", a.self.Username)
		}
	})

	t.Run("stored_session", func(t *testing.T) {
		storage := &session.StorageMemory{}
		first := newcomer(t, s, options{storage: storage})
		first.stop() // requests on two connections of one key would kill it
		exchanges := s.counter(t, "handshakes")
		again := connect(t, s, options{storage: storage})
		again.follow(t)
		if again.self.ID != first.self.ID {
			t.Errorf("the stored session of %d is one of %d", first.self.ID, again.self.ID)
		}
		if now := s.counter(t, "handshakes"); now != exchanges {
			t.Errorf("%s key exchanges became %s: the stored key was not good enough", exchanges, now)
		}
	})

	t.Run("log_out", func(t *testing.T) {
		a := newcomer(t, s, options{})
		if _, err := a.api.AuthLogOut(a.ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := a.client.Self(a.ctx); !auth.IsUnauthorized(err) {
			t.Errorf("after logging out: %v", err)
		}
	})
}

func (s *sandbox) counter(t *testing.T, name string) string {
	t.Helper()
	for _, line := range s.run(t, "stats") {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return value
		}
	}
	t.Fatalf("no counter %s", name)
	return ""
}

func TestJoinByLink(t *testing.T) {
	s := startSandbox(t)
	a := newcomer(t, s, options{})
	_, err := a.api.MessagesImportChatInvite(a.ctx, "ExpiredInvite000")
	if !tg.IsInviteHashExpired(err) {
		t.Errorf("an expired link: %v", err)
	}
	joined, err := a.api.MessagesImportChatInvite(a.ctx, "PlainInviteLink0")
	if err != nil {
		t.Fatal(err)
	}
	// Wrapped in a result of its own from layer 226 on.
	chats := joined.(*tg.Updates).Chats
	if len(chats) != 1 || chats[0].(*tg.Channel).Title != "Backstage" {
		t.Fatalf("joined %v", chats)
	}
	backstage := chats[0].(*tg.Channel).AsInputPeer()
	a.send(t, backstage, "am I in?")
	if got := a.history(t, backstage); len(got) == 0 || got[0] != "am I in?" {
		t.Errorf("history of the joined group: %q", got)
	}

	bob := connect(t, s, options{})
	bob.login(t, "+9996620002", "22222", "")
	a.send(t, backstage, "a live one")
	bob.expect(t, "a live one")
}

func TestFloodWait(t *testing.T) {
	s := startSandbox(t)
	a := newcomer(t, s, options{})
	echo := a.resolve(t, "echo")
	s.fault(t, "method=messages.sendMessage,do=flood_wait:77,count=1")
	_, err := a.api.MessagesSendMessage(a.ctx, &tg.MessagesSendMessageRequest{Peer: echo, Message: "x", RandomID: 1})
	if wait, ok := tgerr.AsFloodWait(err); !ok || wait != 77*time.Second {
		t.Fatalf("a flood wait of 77 s: %v", err)
	}
	a.send(t, echo, "later")
	a.expect(t, "later")
}

// reconnect cuts the link of the one while the other writes, and wants every message once and in order.
func reconnect(t *testing.T, s *sandbox, pfs bool) {
	cable := obfuscatedLink(transport.Intermediate, 0xee)
	one, two := newcomer(t, s, options{link: cable, pfs: pfs}), newcomer(t, s, options{})
	toOne := one.seenBy(t, two)
	two.send(t, toOne, "before")
	one.expect(t, "before")
	const missed = 25
	cable.cut()
	for i := range missed {
		two.send(t, toOne, fmt.Sprintf("missed %d", i))
	}
	cable.mend()
	// gotd looks for a gap when the next update comes.
	if err := again(func() error { _, err := one.client.Self(one.ctx); return err }); err != nil {
		t.Fatal(err)
	}
	two.send(t, toOne, "after")
	for i := range missed {
		one.expect(t, fmt.Sprintf("missed %d", i))
	}
	one.expect(t, "after")
	two.send(t, toOne, "last")
	one.expect(t, "last")
}

func TestReconnect(t *testing.T) {
	s := startSandbox(t)
	t.Run("cut_cable", func(t *testing.T) { reconnect(t, s, false) })

	for _, do := range []string{"drop_before", "drop_after", "reset", "lose_session", "garbage", "bad_salt"} {
		t.Run(do, func(t *testing.T) {
			a := newcomer(t, s, options{})
			echo := a.resolve(t, "echo")
			a.send(t, echo, "first")
			a.expect(t, "first")
			s.fault(t, fmt.Sprintf("method=messages.sendMessage,user=%d,count=1,do=%s", a.self.ID, do))
			a.send(t, echo, "second")
			a.send(t, echo, "third")
			a.expect(t, "second")
			a.expect(t, "third")
			want := []string{"third", "third", "second", "second", "first", "first"}
			if got := a.history(t, echo); !slices.Equal(got, want) {
				t.Errorf("history: %q", got)
			}
		})
	}
}
