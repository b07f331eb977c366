/* SPDX-License-Identifier: MIT
 * The proof of work of the handshake: products of two primes below 2^63. */
#include "crypto/crypto.h"

__extension__ typedef unsigned __int128 u128;

/* ---- arithmetic modulo an odd n < 2^63, in Montgomery form (x stands for x * 2^-64) ---- */

struct modulus {
    uint64_t n;
    uint64_t minus_inverse; /* -1/n mod 2^64 */
    uint64_t one;           /* 2^64 mod n, which stands for 1 */
};

static struct modulus modulus_of(uint64_t n)
{
    uint64_t inverse = n; /* right in its low 3 bits; each step of Newton's doubles them */
    for (int bits = 3; bits < 64; bits *= 2)
        inverse *= 2 - n * inverse;
    return (struct modulus){n, 0 - inverse, (0 - n) % n};
}

static uint64_t mul(const struct modulus *m, uint64_t a, uint64_t b)
{
    u128 product = (u128)a * b;
    uint64_t quotient = (uint64_t)product * m->minus_inverse;
    uint64_t r = (uint64_t)((product + (u128)quotient * m->n) >> 64);
    return r >= m->n ? r - m->n : r;
}

static uint64_t add(const struct modulus *m, uint64_t a, uint64_t b)
{
    uint64_t sum = a + b;
    return sum >= m->n ? sum - m->n : sum;
}

static uint64_t to_form(const struct modulus *m, uint64_t x)
{
    return (uint64_t)(((u128)x << 64) % m->n);
}

static uint64_t power(const struct modulus *m, uint64_t base, uint64_t exponent)
{
    uint64_t r = m->one;
    for (; exponent; exponent >>= 1, base = mul(m, base, base))
        if (exponent & 1)
            r = mul(m, r, base);
    return r;
}

/* ---- primes ---- */

/* As bases of Miller-Rabin, the first twelve primes decide every n < 3.3e24. */
static const uint64_t small_primes[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
enum { SMALL_PRIMES = sizeof small_primes / sizeof small_primes[0] };

/* n is odd, above all small primes and below 2^63. */
static bool miller_rabin(uint64_t n)
{
    struct modulus m = modulus_of(n);
    uint64_t minus_one = n - m.one;
    int twos = __builtin_ctzll(n - 1);

    for (size_t i = 0; i < SMALL_PRIMES; i++) {
        uint64_t x = power(&m, to_form(&m, small_primes[i]), (n - 1) >> twos);
        bool passes = x == m.one || x == minus_one;
        for (int s = 1; s < twos && !passes; s++) {
            x = mul(&m, x, x);
            passes = x == minus_one;
        }
        if (!passes)
            return false;
    }
    return true;
}

/* A prime factor among the small ones, or 0. */
static uint64_t small_factor(uint64_t n)
{
    for (size_t i = 0; i < SMALL_PRIMES; i++)
        if (n % small_primes[i] == 0)
            return small_primes[i];
    return 0;
}

static bool is_prime(uint64_t n)
{
    uint64_t small = small_factor(n);
    return n > 1 && (small ? small == n : miller_rabin(n));
}

/* ---- factors ---- */

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* The smaller factor of a composite n is below 2^31.5, so Pollard's rho needs some 2^16 steps; a
 * walk of 2^20 that finds nothing is given up for another one, and after 32 walks n is refused. */
enum { WALKS_MAX = 32, STEPS_MAX = 1 << 20, STEPS_PER_GCD = 128 };

static uint64_t step(const struct modulus *m, uint64_t x, uint64_t c)
{
    return add(m, mul(m, x, x), c);
}

/* The differences of a batch had their product vanish: go through them one by one. */
static uint64_t walk_again(const struct modulus *m, uint64_t anchor, uint64_t x, uint64_t c)
{
    for (int i = 0; i < STEPS_PER_GCD; i++) {
        x = step(m, x, c);
        uint64_t d = gcd(distance(anchor, x), m->n);
        if (d != 1)
            return d;
    }
    return m->n;
}

/* Brent's form of Pollard's rho on x*x + c. A proper factor of n, or n when this walk finds none.
 */
static uint64_t rho_walk(const struct modulus *m, uint64_t c)
{
    uint64_t x = c;
    uint64_t product = m->one;

    for (int64_t length = STEPS_PER_GCD; length <= STEPS_MAX; length *= 2) {
        uint64_t anchor = x;
        for (int64_t done = 0; done < length; done += STEPS_PER_GCD) {
            uint64_t batch = x;
            for (int i = 0; i < STEPS_PER_GCD; i++) {
                x = step(m, x, c);
                product = mul(m, product, distance(anchor, x));
            }
            uint64_t d = gcd(product, m->n);
            if (d != 1)
                return d == m->n ? walk_again(m, anchor, batch, c) : d;
        }
    }
    return m->n;
}

static uint64_t square_root(uint64_t n)
{
    uint64_t root = 0;
    for (uint64_t bit = 1ULL << 31; bit; bit >>= 1)
        if ((root | bit) * (root | bit) <= n)
            root |= bit;
    return root;
}

/* Some proper factor of a composite n < 2^63, or n. */
static uint64_t find_factor(uint64_t n)
{
    uint64_t d = small_factor(n);
    if (d)
        return d;
    d = square_root(n);
    if (d * d == n)
        return d;
    struct modulus m = modulus_of(n);
    d = n;
    for (uint64_t c = 1; c <= WALKS_MAX && d == n; c++)
        d = rho_walk(&m, to_form(&m, c));
    return d;
}

bool pq_factor(uint64_t pq, uint64_t *p, uint64_t *q)
{
    if (pq < 4 || pq >> 63 || is_prime(pq))
        return false;
    uint64_t a = find_factor(pq);
    uint64_t b = pq / a;
    if (!is_prime(a) || !is_prime(b))
        return false;
    *p = a < b ? a : b;
    *q = a < b ? b : a;
    return true;
}

/* A random prime in (2^30, 2^31). */
static uint64_t random_prime(struct rng *rng)
{
    for (;;) {
        uint64_t n = (rng_u32(rng) >> 1) | 1u << 30 | 1u;
        if (is_prime(n))
            return n;
    }
}

uint64_t pq_random(struct rng *rng, uint64_t *p, uint64_t *q)
{
    uint64_t a = random_prime(rng);
    uint64_t b = random_prime(rng);
    while (a == b)
        b = random_prime(rng);
    *p = a < b ? a : b;
    *q = a < b ? b : a;
    return a * b;
}
