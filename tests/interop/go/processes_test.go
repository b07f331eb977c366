// SPDX-License-Identifier: MIT

// Package interop lets github.com/gotd/td judge tgrest: its client on our sandbox, our gateway on its server.
package interop

import (
	"bufio"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gotd/td/tg"
)

const (
	// deadline of anything that is awaited; sanitizers on a busy machine are slow.
	deadline = 60 * time.Second
	// testDeadline of all that a client does: what never comes fails its test.
	testDeadline = 3 * time.Minute
	schema       = "../../../schema/layers/api-225.tl"
)

func TestSchemaIsOfThisLayer(t *testing.T) {
	text, err := os.ReadFile(schema)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("// LAYER %d\n", tg.Layer); !strings.Contains(string(text), want) {
		t.Fatalf("%s is not of layer %d: make it anew with tools/schema_from_gotd.py", schema, tg.Layer)
	}
}

func binary(t testing.TB) string {
	path := os.Getenv("TGREST_BINARY")
	if path == "" {
		path = "../../../build/tgrest"
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: build it first", err)
	}
	return path
}

// process is a tgrest under test, whose standard error is kept.
type process struct {
	command *exec.Cmd
	mu      sync.Mutex
	lines   []string
	news    chan struct{}
}

func start(t testing.TB, arguments ...string) *process {
	t.Helper()
	p := &process{command: exec.Command(binary(t), arguments...), news: make(chan struct{}, 1)}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TGREST_") {
			p.command.Env = append(p.command.Env, v)
		}
	}
	output, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			p.mu.Lock()
			p.lines = append(p.lines, scanner.Text())
			p.mu.Unlock()
			select {
			case p.news <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() { p.stop(t, ended) })
	return p
}

// stop asks it to end, which it must do well.
func (p *process) stop(t testing.TB, ended chan struct{}) {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(deadline):
		_ = p.command.Process.Kill()
		t.Errorf("%v did not end after SIGTERM", p.command.Args[:2])
	}
	if err := p.command.Wait(); err != nil {
		t.Errorf("%v: %v", p.command.Args[:2], err)
	}
	if t.Failed() {
		t.Logf("%v wrote:\n%s", p.command.Args[:2], p.output())
	}
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// find waits for a line that matches and returns its groups.
func (p *process) find(t testing.TB, pattern string) []string {
	t.Helper()
	matcher := regexp.MustCompile("(?m)" + pattern)
	for end := time.After(deadline); ; {
		if match := matcher.FindStringSubmatch(p.output()); match != nil {
			return match
		}
		select {
		case <-p.news:
		case <-end:
			t.Fatalf("no %q from %v:\n%s", pattern, p.command.Args[:2], p.output())
		}
	}
}

// sandbox is a tgrest data centre with its control port.
type sandbox struct {
	*process
	key     *rsa.PublicKey
	ports   map[int]string
	control net.Conn
	answers *bufio.Reader
}

const dataCentres = 3

func startSandbox(t testing.TB) *sandbox {
	t.Helper()
	pemFile := filepath.Join(t.TempDir(), "sandbox.pem")
	s := &sandbox{ports: map[int]string{}}
	s.process = start(t, "sandbox", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--dcs",
		fmt.Sprint(dataCentres), "--schema", schema, "--rsa-public-out", pemFile)
	s.ports[1] = s.find(t, `^sandbox on 127\.0\.0\.1:(\d+)$`)[1]
	for dc := 2; dc <= dataCentres; dc++ {
		s.ports[dc] = s.find(t, fmt.Sprintf(`^data centre %d on 127\.0\.0\.1:(\d+)$`, dc))[1]
	}
	port := s.find(t, `^control on 127\.0\.0\.1:(\d+)$`)[1]
	control, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = control.Close() })
	s.control, s.answers = control, bufio.NewReader(control)
	text, err := os.ReadFile(pemFile)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if s.key, err = x509.ParsePKCS1PublicKey(block.Bytes); err != nil {
		t.Fatal(err)
	}
	return s
}

// run gives a command to the control port and returns the lines of the answer.
func (s *sandbox) run(t testing.TB, command string) (lines []string) {
	t.Helper()
	_ = s.control.SetDeadline(time.Now().Add(deadline))
	if _, err := fmt.Fprintln(s.control, command); err != nil {
		t.Fatal(err)
	}
	for {
		line, err := s.answers.ReadString('\n')
		line = strings.TrimSuffix(line, "\n")
		if err != nil || strings.HasPrefix(line, "error") {
			t.Fatalf("%s: %s %v", command, line, err)
		}
		if line == "ok" {
			return lines
		}
		lines = append(lines, line)
	}
}

// fault makes requests fail by a rule until the test ends.
func (s *sandbox) fault(t testing.TB, rule string) {
	t.Helper()
	id := s.run(t, "fault_add "+rule)[0]
	t.Cleanup(func() { s.run(t, "fault_remove "+id) })
}
