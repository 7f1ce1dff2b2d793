// The properties that `attend prove` proves, for every model and form: none fails. That each of
// them can fail is shown by tests/planted/faults_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "nn/estimators/estimator.h"
#include "nn/models/rnn_seq2seq.h"
#include "tests/train/commands.h"
#include "tests/train/prove_support.h"
#include "tests/train/run_support.h"
#include "train/study/prove/properties.h"

namespace prove_test {

TEST_SUITE_BEGIN("train: prove");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::Outcome;
using attend::testing::ProofFolder;
using attend::testing::ProofForm;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* gradients = "gradients";  // algebra_test64 and its likes check them for all forms

using Names = std::vector<std::string>;

// All properties but one; what fails is said. Those that are `silent`, and no others, do not apply:
// a model that stops telling what its attention read would pass all the same.
void check_holds(const prove::Subject& subject, const Names& silent) {
    for (const prove::Property& p : prove::properties()) {
        if (std::string(p.name) == gradients)
            continue;
        const prove::Finding f = p.prove(subject);
        CAPTURE(p.name);
        CAPTURE(f.worst);
        CHECK_MESSAGE(f.verdict != prove::Verdict::failed, f.module, ": ", f.reason);
        const bool says_nothing = std::ranges::find(silent, p.name) != silent.end();
        CHECK_MESSAGE((f.verdict == prove::Verdict::not_applicable) == says_nothing, f.reason);
    }
}

// What is said of weights.
const Names of_weights = {"window", "masked", "map", "scale", "query, key, value"};

// The properties that say nothing of a form.
Names silent_of(const ProofForm& form) {
    const std::string text = form.text(), config = form.config;
    Names silent;
    if (contains(text, "attention.type=") || contains(text, R"(attention={"type")") || contains(text, "model.attention=none"))
        silent = of_weights;
    else if (config == "pairs" ? !contains(text, "score=scaled_dot") : contains(text, "model.attention.score=additive"))
        silent.push_back("scale");
    if (config == "masked" || config == "labels")
        silent.insert(silent.end(), {"causality", "cached decoding", "beam of one"});
    if (config == "text")
        silent.push_back("beam of one");
    if (contains(text, R"("evaluate":"drawn")"))
        silent.insert(silent.end(), {"no draws", "cached decoding", "beam of one"});
    return silent;
}

// How many of the forms make sense and hold.
int holding(const ProofFolder& folder, const std::vector<ProofForm>& forms) {
    int count = 0;
    for (const ProofForm& form : forms) {
        CAPTURE(form.text());
        std::optional<prove::Subject> subject;
        try {
            subject.emplace(folder.subject(form));
        } catch (const Error&) {
            continue;
        }
        check_holds(*subject, silent_of(form));
        ++count;
    }
    return count;
}

bool reads_previous(const std::string& score, const std::string& align) {
    ParameterStore store(1);
    const Scope scope(store, "factor");
    return score_table().build(Selection(score_table(), score), scope.in("score"), ScoreSetup{4, 4, 4})->needs_previous() ||
           align_table().build(Selection(align_table(), align), scope.in("align"))->needs_previous();
}

}  // namespace

TEST_CASE("prove: every score, alignment and form of the recurrent encoder-decoder holds") {
    const ProofFolder folder;
    std::vector<ProofForm> forms;
    for (const std::string form : {"bahdanau", "luong", "luong with feeding"}) {
        const auto add = [&](const std::string& score, const std::string& align) {
            if (form == "luong" && reads_previous(score, align))  // all queries at once
                return;
            forms.push_back({"pairs",
                             {form == "luong" ? "model.encoder_layers=2" : "model.encoder_layers=1",
                              form == "luong with feeding" ? "model.decoder_layers=2" : "model.decoder_layers=1",
                              "model.form=" + form.substr(0, form.find(' ')),
                              std::string("model.input_feeding=") + (form == "luong with feeding" ? "true" : "false"),
                              "model.attention.score=" + score, "model.attention.align=" + align,
                              std::string("model.cell=") + (align == "softmax" ? "gru" : "lstm")}});
        };
        for (const std::string& score : score_table().names()) add(score, "softmax");
        for (const std::string& align : align_table().names()) add("general", align);
        add("additive", "sparsemax");
    }
    CHECK(holding(folder, forms) == static_cast<int>(forms.size()));
}

TEST_CASE("prove: every estimator of hard attention and every way of evaluating it holds") {
    const ProofFolder folder;
    std::vector<ProofForm> forms;
    for (const std::string& estimator : estimator_table().names())
        for (const char* evaluate : {"likeliest", "drawn", "marginal"})
            forms.push_back({"pairs",
                             {"model.form=luong", "model.attention.score=general",
                              R"(model.attention.select={"type":"hard","estimator":")" + estimator + R"(","evaluate":")" +
                                  evaluate + "\"}"}});
    CHECK(holding(folder, forms) == static_cast<int>(forms.size()));
    CHECK(holding(folder, {{"pairs", {R"(model.attention.select={"type":"hard"})"}},
                           {"transformer", {R"(model.cross_attention.select={"type":"hard"})"}},
                           {"text", {R"(model.attention.select={"type":"hard"})"}},
                           {"masked", {R"(model.attention.select={"type":"hard"})"}}}) == 4);
}

TEST_CASE("prove: an estimator is looked at as it is after its soft steps") {
    const ProofFolder folder;
    const auto looked_at = [&](const char* select) {
        const prove::Subject subject =
            folder.subject({"pairs",
                            {"model.form=luong", "model.attention.score=general",
                             std::string("model.attention.select={\"type\":\"hard\",\"soft_steps\":20,") + select + "}"}});
        for (const prove::Property& p : prove::properties())
            if (std::string(p.name) == "query, key, value")
                return p.prove(subject).verdict;
        return prove::Verdict::not_applicable;
    };
    CHECK(looked_at(R"("estimator":"reinforce")") == prove::Verdict::passed);
    // So short a step changes no choice, so the attention gets no gradient.
    CHECK(looked_at(R"("estimator":{"type":"imle","lambda":0.001})") == prove::Verdict::failed);
}

TEST_CASE("prove: every form of the transformers holds") {
    const ProofFolder folder;
    const std::vector<ProofForm> forms = {
        {"transformer", {}},
        {"transformer", {"model.norm_place=pre", "model.positions=learned", "model.dropout=0"}},
        {"transformer",
         {"model.share=none", "model.bias=false", "model.positions=rotary", "model.key_heads=1", "model.activation=swiglu"}},
        {"transformer", {"model.positions=none", "model.encoder_attention.bias=relative", "model.attention.bias=relative"}},
        {"transformer", {"model.recompute=true", "model.cross_attention.score=additive", "model.decoder_layers=1"}},
        {"transformer", {R"(model.positions={"type":"sinusoidal","randomised":2048})"}},
        {"transformer",
         {R"(model.positions={"type":"none","randomised":2048})", "model.encoder_attention.bias=t5",
          "model.attention.bias=alibi"}},
        {"transformer", {R"(model.positions={"type":"rotary","scaling":"yarn","factor":4})"}},
        {"text", {R"(model.positions={"type":"rotary","randomised":99,"scaling":"linear","factor":4})"}},
        {"text", {R"(model.positions={"type":"rotary","scaling":"ntk","factor":4})"}},
        {"text", {R"(model.positions={"type":"none","randomised":99})", "model.attention.bias=relative"}},
        {"masked", {R"(model.positions={"type":"learned","randomised":99})"}},
        {"text", {}},
        {"text", {"model.norm_place=post", "model.tie=false", "model.positions=sinusoidal"}},
        {"text", {"model.norm=rms", "model.activation=swiglu", "model.key_heads=1", "model.positions=rotary"}},
        {"text", {"model.positions=none", "model.attention.bias=alibi", "model.activation=relu"}},
        {"text", {"model.attention.score=additive", "model.attention.align=sparsemax", "model.activation=gelu_tanh"}},
        {"text", {"model.positions=none", "model.attention.bias=relative", "model.recompute=true"}},
        {"text", {R"(model.attention.align={"type":"softmax","temperature":2})"}},
        {"text",
         {"model.positions=none", "model.attention.bias=forget", R"(model.attention.window={"type":"blocks","size":3})"}},
        {"text", {"model.positions=none", "model.attention.bias=t5", R"(model.attention.window={"type":"sliding","size":3})"}},
        {"text",
         {"model.layers=2", "model.heads=2",
          R"(model.attention=[[{"score":"scaled_dot","window":{"type":"sliding","size":2}},{"score":"scaled_dot","window":"causal"}],{"score":"cosine","window":{"type":"dilated","count":2}}])"}},
        {"text", {"model.attention.gate=elementwise"}},
        {"text", {"model.attention.gate=headwise", "model.attention.talking=true", "model.key_heads=1"}},
        {"text", {"model.attention.differential=true", "model.positions=rotary", "model.attention.gate=headwise"}},
        {"transformer",
         {"model.encoder_attention.differential=true", "model.attention.talking=true", "model.cross_attention.talking=true",
          "model.cross_attention.gate=elementwise"}},
        {"pairs", {R"(model.attention.window={"type":"local_p","reach":2})"}},
        {"pairs", {"model.form=luong", R"(model.attention.window={"type":"local_m","reach":1})"}},
        {"pairs", {"model.attention=none", "model.bidirectional=false"}},
        {"pairs", {"model.attention=none", "model.bidirectional=false", "model.form=luong"}},
        {"transformer", {"model.encoder_attention=none"}},
        {"masked", {}},
        {"masked", {"data.next_sentence=true"}},
        {"labels", {}},
        {"labels", {R"(model.attention.select={"type":"hard"})"}},
        {"masked", {"model.norm_place=pre", "model.dropout=0", "model.positions=sinusoidal"}},
    };
    CHECK(holding(folder, forms) == static_cast<int>(forms.size()));
}

TEST_CASE("prove: every kind of attention without weights holds, and what is said of weights does not apply") {
    const ProofFolder folder;
    std::vector<ProofForm> forms;
    for (const std::string& kind : attention_table().names()) {
        if (kind == "weighted")
            continue;
        const std::string attention = "attention.type=" + kind;
        forms.push_back({"pairs", {"model." + attention, "model.bidirectional=false"}});
        forms.push_back({"text", {"model." + attention, kind == "none" ? "model.norm_place=post" : "model.positions=none"}});
        if (kind == "none")
            continue;
        forms.push_back({"pairs", {R"(model.attention={"type":")" + kind + R"(","width":3})", "model.form=luong"}});
        forms.push_back({"transformer",
                         {"model.encoder_" + attention, "model." + attention, "model.cross_" + attention, "model.key_heads=1",
                          "model.recompute=true"}});
        forms.push_back({"masked", {"model." + attention}});
    }
    CHECK(holding(folder, forms) == static_cast<int>(forms.size()));
}

TEST_CASE("prove: the shipped configs of generated data hold") {
    const std::pair<const char*, Names> configs[] = {
        {"bahdanau_dates", {"scale"}}, {"dates_luong", {"scale"}}, {"transformer_dates", {}}};
    for (const auto& [name, silent] : configs) {
        CAPTURE(name);
        const std::string path = ATTEND_SOURCE_DIR "/configs/" + std::string(name) + ".json";
        check_holds(
            prove::subject_of_config(
                read_experiment(path, {"data.train_examples=400", "data.valid_examples=8", "data.test_examples=0"}), path),
            silent);
    }
}

TEST_CASE("prove: the shipped config that learns the project's own sources holds") {
    const std::string path = ATTEND_SOURCE_DIR "/configs/gpt_tiny.json";
    const std::string sources = "data.path=" ATTEND_SOURCE_DIR "/core/*.h";  // fewer of them, for less time
    check_holds(prove::subject_of_config(read_experiment(path, {sources}), path), {"beam of one"});
}

TEST_CASE("prove: a figure beyond the limit fails, whoever is to blame, and NaN is beyond every limit") {
    const auto verdict_of = [](double figure, const std::string& module) {
        prove::Figures figures(1);
        figures.note(0.5, [&] { return prove::Blame{"never", ""}; });
        figures.note(figure, [&] { return prove::Blame{module, ""}; });
        figures.note(0.25, [&] { return prove::Blame{"later", ""}; });
        const prove::Finding f = figures.finding("");
        CHECK(f.module == (f.verdict == prove::Verdict::failed ? module : ""));
        CHECK((f.worst > f.limit) == (f.verdict == prove::Verdict::failed));
        return f.verdict;
    };
    CHECK(verdict_of(1, "a") == prove::Verdict::passed);
    CHECK(verdict_of(2, "a") == prove::Verdict::failed);
    CHECK(verdict_of(2, "") == prove::Verdict::failed);
    CHECK(verdict_of(std::nan(""), "") == prove::Verdict::failed);
    CHECK(prove::largest(Tensor::of({3}, {1, static_cast<real>(std::nan("")), 2})) == HUGE_VAL);
}

TEST_CASE("attend prove: a config, then its run, as a table and as JSON") {
    const ProofFolder folder;
    const Outcome config = attend_command({"prove", folder.path("pairs")});
    CHECK_MESSAGE(config.code == 0, config.out, config.error);
    for (const prove::Property& p : prove::properties()) CHECK(contains(config.out, p.name));
    CHECK(contains(config.out, "rnn_seq2seq"));
    CHECK(contains(config.out, "weights: initial"));

    const std::string run = (folder / "run").string();
    REQUIRE(attend_command({"train", folder.path("pairs"), "--out", run}).code == 0);
    const Outcome proved = attend_command({"prove", run, "--json"});
    CHECK_MESSAGE(proved.code == 0, proved.out, proved.error);
    const Json json = Json::parse(proved.out);
    CHECK(json["passed"] == true);
    CHECK(json["weights"] == "of the run");
    CHECK(json["properties"].size() == prove::properties().size());
    for (const Json& p : json["properties"]) CHECK(p["verdict"] != "failed");
    CHECK(attend_command({"prove", run + "/checkpoints/last"}).code == 0);

    CHECK(attend_command({"prove", run, "--seed", "4"}).code == 2);
    CHECK(attend_command({"prove", (folder / "none.json").string()}).code == 2);
    const Outcome missing = attend_command({"prove", folder.path("text"), "--set", "data.path=nowhere.txt"});
    CHECK(missing.code == 2);
    CHECK(contains(missing.error, "nowhere.txt"));
}

TEST_CASE("attend prove: weights and rows are as before, and the rows are the first ones, cut") {
    const ProofFolder folder;
    const prove::Subject s = folder.subject({"text", {}});
    CHECK(s.batch.rows() == 4);
    CHECK(s.batch.input.length(0) == 12);
    CHECK(s.batch.input.length(3) == 8);
    const std::vector<real> before(s.made.store->data(), s.made.store->data() + s.made.store->size());
    check_holds(s, silent_of({"text", {}}));
    CHECK(std::equal(before.begin(), before.end(), s.made.store->data()));
}

TEST_SUITE_END();

}  // namespace prove_test
