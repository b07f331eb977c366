// SPDX-License-Identifier: MIT

package interop

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"math/big"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/crypto/srp"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
	"github.com/gotd/td/tgtest"
)

// The prime and the generator of Telegram's servers (https://core.telegram.org/api/srp).
const (
	srpPrime = "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f48198a0aa7c14058229493d22530f4db" +
		"fa336f6e0ac925139543aed44cce7c3720fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64" +
		"2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4a4a695811051907e162753b56b0f6b41" +
		"0dba74d8a84b2a14b3144e0ef1284754fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4" +
		"e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f0d8115f635b105ee2e4e15d04b2454bf" +
		"6f4fadf034b10403119cd8e3b92fcc5b"
	srpG = 3
)

// password is the second factor of the account at data centre 1: the verifier is made by gotd, and the
// server's side of SRP stands here.
type password struct {
	algorithm *tg.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow
	prime     *big.Int
	verifier  *big.Int
	secret    *big.Int // b, the same for every login
}

const secondFactor = "a gopher's burrow"

func newPassword(text string) (*password, error) {
	prime, err := hex.DecodeString(srpPrime)
	if err != nil {
		return nil, err
	}
	input := srp.Input{Salt1: []byte("eight of"), Salt2: []byte("salt number two."), G: srpG, P: prime}
	verifier, salt1, err := srp.NewSRP(rand.Reader).NewHash([]byte(text), input)
	if err != nil {
		return nil, err
	}
	p := &password{prime: new(big.Int).SetBytes(prime), verifier: new(big.Int).SetBytes(verifier)}
	p.algorithm = &tg.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow{
		Salt1: salt1, Salt2: input.Salt2, G: srpG, P: prime,
	}
	p.secret, err = rand.Int(rand.Reader, p.prime)
	return p, err
}

func (p *password) pad(n *big.Int) []byte { return n.FillBytes(make([]byte, 256)) }

func hash(parts ...[]byte) []byte {
	sum := sha256.Sum256(bytes.Join(parts, nil))
	return sum[:]
}

// public is srp_B.
func (p *password) public() *big.Int {
	g := big.NewInt(srpG)
	k := new(big.Int).SetBytes(hash(p.algorithm.P, p.pad(g)))
	b := new(big.Int).Exp(g, p.secret, p.prime)
	return b.Add(b, k.Mul(k, p.verifier)).Mod(b, p.prime)
}

// accepts says whether the proof M1 is the one of a client that knows the password.
func (p *password) accepts(proof *tg.InputCheckPasswordSRP) bool {
	a, b := new(big.Int).SetBytes(proof.A), p.pad(p.public())
	u := new(big.Int).SetBytes(hash(p.pad(a), b))
	s := u.Exp(p.verifier, u, p.prime)
	s.Mul(s, a).Exp(s, p.secret, p.prime)
	mixed := make([]byte, sha256.Size)
	subtle.XORBytes(mixed, hash(p.algorithm.P), hash(p.pad(big.NewInt(srpG))))
	want := hash(mixed, hash(p.algorithm.Salt1), hash(p.algorithm.Salt2), p.pad(a), b, hash(p.pad(s)))
	return bytes.Equal(want, proof.M1)
}

func (c *centres) getPassword(*tgtest.Server, *tgtest.Request, *tg.AccountGetPasswordRequest) (bin.Encoder, error) {
	current := &tg.AccountPassword{
		HasPassword: true, SRPID: 7, Hint: "where gophers live", SecureRandom: make([]byte, 256),
		NewAlgo: c.password.algorithm, NewSecureAlgo: &tg.SecurePasswordKdfAlgoUnknown{},
	}
	current.SetCurrentAlgo(c.password.algorithm)
	current.SetSRPB(c.password.pad(c.password.public()))
	return current, nil
}

func (c *centres) checkPassword(
	_ *tgtest.Server, req *tgtest.Request, q *tg.AuthCheckPasswordRequest,
) (bin.Encoder, error) {
	proof, ok := q.Password.(*tg.InputCheckPasswordSRP)
	if !ok || proof.SRPID != 7 || !c.password.accepts(proof) {
		return nil, tgerr.New(400, "PASSWORD_HASH_INVALID")
	}
	return c.authorize(req), nil
}
