// SPDX-License-Identifier: MIT

package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// gateway is a tgrest over gotd's data centres.
type gateway struct {
	*process
	url    string
	client http.Client
}

func startGateway(t testing.TB, c *centres, more ...string) *gateway {
	t.Helper()
	arguments := []string{"serve", "--listen", "127.0.0.1:0", "--workers", "1", "--schema", schema,
		"--log-level", "debug", "--key-file", filepath.Join(t.TempDir(), "tgrest.key")}
	for _, dc := range c.cluster.List().Options {
		arguments = append(arguments, "--dc", fmt.Sprintf("%d=127.0.0.1:%d", dc.ID, dc.Port))
	}
	for _, key := range c.keys {
		arguments = append(arguments, "--dc-key", key)
	}
	g := &gateway{process: start(t, append(arguments, more...)...)}
	g.url = g.find(t, `^listening on (http://127\.0\.0\.1:\d+)$`)[1]
	g.client.Timeout = deadline
	t.Cleanup(g.client.CloseIdleConnections)
	return g
}

// caller is whoever holds a session string.
type caller struct {
	gateway *gateway
	session string
}

type answer struct {
	Status int
	Header http.Header
	Body   map[string]any
}

func (a answer) text(field string) string { return fmt.Sprint(a.Body[field]) }

// request does not keep the session string that an answer brings, so it may run beside others.
func (c *caller) request(t testing.TB, method, path string, body any) answer {
	t.Helper()
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, c.gateway.url+path, content)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if c.session != "" {
		request.Header.Set("X-Session-String", c.session)
	}
	response, err := c.gateway.client.Do(request)
	if err != nil {
		t.Errorf("%s %s: %v", method, path, err)
		return answer{}
	}
	defer func() { _ = response.Body.Close() }()
	a := answer{Status: response.StatusCode, Header: response.Header}
	if err := json.NewDecoder(response.Body).Decode(&a.Body); err != nil {
		t.Errorf("%s %s: status %d: %v", method, path, a.Status, err)
	}
	return a
}

func (c *caller) call(t testing.TB, status int, method, path string, body any) answer {
	t.Helper()
	a := c.request(t, method, path, body)
	if a.Status != status {
		t.Fatalf("%s %s: status %d, not %d: %v", method, path, a.Status, status, a.Body)
	}
	if session := a.Header.Get("X-Session-String"); session != "" {
		c.session = session
	}
	return a
}

type object = map[string]any

func login(t testing.TB, g *gateway, phone string) *caller {
	t.Helper()
	c := &caller{gateway: g}
	c.call(t, 200, "POST", "/auth/send_code",
		object{"phone": phone, "api_id": 1, "api_hash": "0123456789abcdef0123456789abcdef"})
	c.call(t, 200, "POST", "/auth/verify_code", object{"code": loginCode})
	return c
}

func (c *caller) send(t testing.TB, status int, text string) answer {
	t.Helper()
	return c.call(t, status, "POST", "/messages/send", object{"chat_id": "@" + friendName, "text": text})
}

func (c *caller) history(t testing.TB, limit int) (texts []string) {
	t.Helper()
	page := c.call(t, 200, "GET", fmt.Sprintf("/messages?chat_id=@%s&limit=%d", friendName, limit), nil)
	for _, m := range page.Body["messages"].([]any) {
		texts = append(texts, m.(object)["text"].(string))
	}
	return texts
}

func TestGatewayWalk(t *testing.T) {
	for _, warm := range []string{"300", "off"} {
		t.Run("warm_"+warm, func(t *testing.T) {
			centres := startCentres(t)
			c := login(t, startGateway(t, centres, "--warm", warm), "+15550002")
			if id := c.call(t, 200, "GET", "/me", nil).text("id"); id != "1002" {
				t.Errorf("logged in as %s", id)
			}
			if id := c.send(t, 200, "one").text("message_id"); id != "1" {
				t.Errorf("the first message is %s", id)
			}
			c.send(t, 200, "**two**")
			if got, want := centres.texts(), []string{"one", "two"}; !slices.Equal(got, want) {
				t.Errorf("sent: %q", got)
			}
			if got, want := c.history(t, 10), []string{"**two**", "one"}; !slices.Equal(got, want) {
				t.Errorf("history: %q", got)
			}
			chats := c.call(t, 200, "GET", "/chats", nil).Body["chats"].([]any)
			if len(chats) != 1 || chats[0].(object)["username"] != friendName {
				t.Errorf("chats: %v", chats)
			}
			c.call(t, 200, "DELETE", "/auth/logout", nil)
			c.call(t, 401, "GET", "/me", nil)
		})
	}
}

func TestGatewayErrors(t *testing.T) {
	centres := startCentres(t)
	g := startGateway(t, centres)

	stranger := &caller{gateway: g}
	credentials := object{"phone": "+15559999", "api_id": 1, "api_hash": "0123456789abcdef0123456789abcdef"}
	if a := stranger.call(t, 400, "POST", "/auth/send_code", credentials); a.text("error") != "PHONE_NUMBER_INVALID" {
		t.Errorf("a wrong number: %v", a.Body)
	}
	credentials["phone"] = "+15550002"
	stranger.call(t, 200, "POST", "/auth/send_code", credentials)
	if a := stranger.call(t, 400, "POST", "/auth/verify_code", object{"code": "11111"}); a.text("error") !=
		"PHONE_CODE_INVALID" {
		t.Errorf("a wrong code: %v", a.Body)
	}
	stranger.call(t, 200, "POST", "/auth/verify_code", object{"code": loginCode})

	flood := stranger.send(t, 429, floodText)
	if flood.text("wait_seconds") != fmt.Sprint(floodWait) || flood.Header.Get("Retry-After") != fmt.Sprint(floodWait) {
		t.Errorf("a flood wait: %v %v", flood.Body, flood.Header)
	}
	stranger.call(t, 404, "POST", "/messages/send", object{"chat_id": "@nobody_here", "text": "x"})
	// gotd's server refuses what it has no handler for.
	if a := stranger.call(t, 404, "POST", "/methods/help.getNearestDc", object{}); a.text("error") !=
		"INPUT_METHOD_INVALID" {
		t.Errorf("a method without handler: %v", a.Body)
	}
	peer := stranger.call(t, 200, "POST", "/methods/contacts.resolveUsername", object{"username": friendName})
	if text, _ := json.Marshal(peer.Body); !strings.Contains(string(text), fmt.Sprintf(`"access_hash":"%d"`, friendHash)) {
		t.Errorf("the friend: %s", text)
	}
	config := stranger.call(t, 200, "POST", "/methods/help.getConfig", object{})
	if text, _ := json.Marshal(config.Body); !strings.Contains(string(text), `"this_dc":2`) {
		t.Errorf("config: %s", text)
	}
}

// The account at data centre 1 has a password too.
func TestGatewayMigrates(t *testing.T) {
	centres := startCentres(t)
	c := login(t, startGateway(t, centres), "+15550001")
	if a := c.call(t, 400, "POST", "/auth/verify_password", object{"password": "a mole's"}); a.text("error") !=
		"PASSWORD_HASH_INVALID" {
		t.Errorf("a wrong password: %v", a.Body)
	}
	c.call(t, 200, "POST", "/auth/verify_password", object{"password": secondFactor})
	if id := c.call(t, 200, "GET", "/me", nil).text("id"); id != "1001" {
		t.Errorf("the number of data centre 1 logs in as %s", id)
	}
	c.send(t, 200, "from afar")
}

func TestGatewayOutlivesDisconnects(t *testing.T) {
	centres := startCentres(t)
	c := login(t, startGateway(t, centres), "+15550002")
	c.send(t, 200, "first")
	c.send(t, 200, dropBefore)
	c.send(t, 200, dropAfter)
	c.send(t, 200, "last")
	if got, want := centres.texts(), []string{"first", dropBefore, dropAfter, "last"}; !slices.Equal(got, want) {
		t.Errorf("sent: %q", got)
	}
}

// What is not safe to repeat is not repeated: the caller is told that nobody knows, and decides.
func TestGatewayExecutesAtMostOnce(t *testing.T) {
	centres := startCentres(t)
	c := login(t, startGateway(t, centres), "+15550002")
	lost := c.call(t, 504, "POST", "/methods/account.updateProfile", object{"first_name": "Lost"})
	if lost.text("error") != "OUTCOME_UNKNOWN" {
		t.Errorf("a lost answer: %v", lost.Body)
	}
	c.call(t, 200, "POST", "/methods/account.updateProfile", object{"first_name": "Found"})
	centres.mu.Lock()
	defer centres.mu.Unlock()
	if want := []string{"Lost", "Found"}; !slices.Equal(centres.renamed, want) {
		t.Errorf("executed: %q", centres.renamed)
	}
}

func TestGatewayContainers(t *testing.T) {
	centres := startCentres(t)
	c := login(t, startGateway(t, centres), "+15550002")
	var want []string
	containers := centres.containers()
	var all sync.WaitGroup
	gate := make(chan struct{}, 32)
	for i := range manyEntries {
		text := fmt.Sprintf("message %d", i)
		want = append(want, text)
		all.Add(1)
		gate <- struct{}{}
		go func() {
			defer all.Done()
			a := c.request(t, "POST", "/messages/send", object{"chat_id": "@" + friendName, "text": text})
			if a.Status != 200 {
				t.Errorf("%s: %d %v", text, a.Status, a.Body)
			}
			<-gate
		}()
	}
	all.Wait()
	sent := centres.texts()
	slices.Sort(sent)
	slices.Sort(want)
	if !slices.Equal(sent, want) {
		t.Errorf("%d messages of %d, or others", len(sent), len(want))
	}
	if now := centres.containers(); now == containers {
		t.Error("no container came")
	}
	history := c.history(t, manyEntries)
	slices.Sort(history)
	if !slices.Equal(history, want) {
		t.Errorf("a compressed history of %d holds %d, or others", len(want), len(history))
	}
}
