#include "core/base/parallel.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <system_error>
#include <thread>
#include <vector>

#include "core/base/error.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace attend {

namespace {
#if defined(__x86_64__)
using FloatControl = unsigned int;
FloatControl float_control() { return _mm_getcsr(); }
void set_float_control(FloatControl c) { _mm_setcsr(c); }
constexpr FloatControl flush_bits = 0x8000 | 0x0040;  // flush-to-zero, denormals-are-zero
void relax() { _mm_pause(); }
#elif defined(__aarch64__)
using FloatControl = uint64_t;
FloatControl float_control() {
    FloatControl c;
    asm volatile("mrs %0, fpcr" : "=r"(c));
    return c;
}
void set_float_control(FloatControl c) { asm volatile("msr fpcr, %0" : : "r"(c)); }
constexpr FloatControl flush_bits = FloatControl{1} << 24;
void relax() { asm volatile("yield"); }
#else
#error "flush_denormals: this processor is not known: add its control register"
#endif

// Worker 0 is a thread that is not ours: its tasks compute as the other workers' do, and it gets
// its mode back.
class Flushed {
  public:
    Flushed() : before_(float_control()) { set_float_control(before_ | flush_bits); }
    ~Flushed() { set_float_control(before_); }
    Flushed(const Flushed&) = delete;
    Flushed& operator=(const Flushed&) = delete;

  private:
    FloatControl before_;
};

// The signals that stop a program are handled by the main thread alone.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t set;
        sigemptyset(&set);
        for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, s);
        pthread_sigmask(SIG_BLOCK, &set, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_;
};

// Returns when `done(value)` holds: looks for a while, then sleeps in the kernel until the value
// changes.
template <class T, class Done>
T wait_until(const std::atomic<T>& value, int spins, Done done) {
    T seen = value.load(std::memory_order_acquire);
    for (int i = 0; i < spins && !done(seen); ++i) {
        relax();
        seen = value.load(std::memory_order_acquire);
    }
    while (!done(seen)) {
        value.wait(seen, std::memory_order_acquire);
        seen = value.load(std::memory_order_acquire);
    }
    return seen;
}
}  // namespace

void flush_denormals() { set_float_control(float_control() | flush_bits); }

struct Workers::Pool {
    // What one worker's tasks threw first; a cache line each.
    struct alignas(64) Failure {
        std::exception_ptr exception;
        int task = 0;
    };

    std::vector<std::thread> threads;
    std::vector<Failure> failures;
    int spins = 0;
    // One round of work: written before `round` moves, read after it was seen to move.
    const FunctionRef<void(int)>* task = nullptr;
    int tasks = 0;
    bool stopping = false;
    alignas(64) std::atomic<uint32_t> round{0};
    alignas(64) std::atomic<uint32_t> busy{0};  // workers other than 0 that are still working
    std::atomic<bool> running{false};

    int size() const { return static_cast<int>(failures.size()); }

    void work(int worker) noexcept {
        Failure& failure = failures[static_cast<std::size_t>(worker)];
        for (int i = worker; i < tasks; i += size()) {
            try {
                (*task)(i);
            } catch (...) {
                if (!failure.exception)
                    failure = {std::current_exception(), i};
            }
            if (i > std::numeric_limits<int>::max() - size())
                break;
        }
    }

    void serve(int worker) noexcept {
        flush_denormals();
        for (uint32_t seen = 0;;) {
            seen = wait_until(round, spins, [seen](uint32_t now) { return now != seen; });
            if (stopping)
                return;
            work(worker);
            if (busy.fetch_sub(1, std::memory_order_acq_rel) == 1)
                busy.notify_one();
        }
    }

    void stop() noexcept {
        stopping = true;
        round.fetch_add(1, std::memory_order_release);
        round.notify_all();
        for (std::thread& t : threads) t.join();
    }
};

Workers::Workers(int threads) {
    require(threads >= 1 && threads <= 1024, "workers: number of threads out of range: threads {}, limits 1 to {}", threads,
            1024);
    pool_ = std::make_unique<Pool>();
    pool_->failures.resize(static_cast<std::size_t>(threads));
    // Spinning where there are fewer processors than threads keeps the others from working.
    pool_->spins = std::thread::hardware_concurrency() >= static_cast<unsigned>(threads) ? 2000 : 0;
    pool_->threads.reserve(static_cast<std::size_t>(threads - 1));
    const SignalsBlocked blocked;
    try {
        for (int worker = 1; worker < threads; ++worker)
            pool_->threads.emplace_back([pool = pool_.get(), worker] { pool->serve(worker); });
    } catch (const std::system_error& e) {
        const std::size_t started = pool_->threads.size() + 1;
        pool_->stop();
        throw MachineError(
            fmt::format("workers: the system starts no more threads: asked {}, started {}; {}", threads, started, e.what()));
    }
}

Workers::~Workers() { pool_->stop(); }

int Workers::threads() const { return pool_->size(); }

void Workers::run(int tasks, FunctionRef<void(int)> task) {
    require(tasks >= 0, "workers: negative number of tasks: tasks {}, least {}", tasks, 0);
    Pool& pool = *pool_;
    ensure(!pool.running.exchange(true, std::memory_order_acquire),
           "workers: run() called while a run is on: threads {}, tasks {}", pool.size(), tasks);
    pool.task = &task;
    pool.tasks = tasks;
    // With one task there is nobody to wake.
    const bool others = pool.size() > 1 && tasks > 1;
    if (others) {
        pool.busy.store(static_cast<uint32_t>(pool.size() - 1), std::memory_order_relaxed);
        pool.round.fetch_add(1, std::memory_order_release);
        pool.round.notify_all();
    }
    {
        const Flushed flushed;
        pool.work(0);
    }
    if (others)
        wait_until(pool.busy, pool.spins, [](uint32_t n) { return n == 0; });

    Pool::Failure first;
    for (Pool::Failure& f : pool.failures) {
        if (f.exception && (!first.exception || f.task < first.task))
            first = f;
        f = {};
    }
    pool.running.store(false, std::memory_order_release);
    if (first.exception)
        std::rethrow_exception(first.exception);
}

void Workers::blocks(int64_t size, int64_t block, FunctionRef<void(int64_t, int64_t, int64_t)> body) {
    require(size >= 0 && block >= 1, "workers: no such cut: size {}, block {}", size, block);
    const int64_t count = size / block + (size % block != 0 ? 1 : 0);
    require(count <= std::numeric_limits<int>::max(), "workers: too many blocks: blocks {}, limit {}", count,
            std::numeric_limits<int>::max());
    run(static_cast<int>(count), [&](int i) { body(i, i * block, std::min(size - i * block, block) + i * block); });
}

}  // namespace attend
