#include "core/base/options.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/base/pattern.h"

namespace options_test {

using namespace attend;

namespace {

struct Round {
    double radius = 1;
    void fields(Visitor& v) { v.number("radius", radius, {0, 10}, "of the circle"); }
};
struct Box {
    int64_t width = 2, height = 3;
    void fields(Visitor& v) {
        v.integer("width", width, {1, 100}, "of the box");
        v.integer("height", height, {1, 100}, "of the box");
    }
};

struct Ring {
    int64_t parts = 0;
    double gap = 0.5;
    void fields(Visitor& v) {
        v.integer("parts", parts, {1, 8, "auto"}, "of the ring");
        v.number("gap", gap, {0.25, 1}, "between them");
    }
};
struct Figure {
    virtual ~Figure() = default;
};
struct Parted final : Figure {};

using Shapes = Table<double(double)>;
const Shapes& shapes() {
    static const Shapes table(
        "shape",
        {Shapes::make<Round>("circle", "a round one", [](const Round& o, double s) { return s * 3 * o.radius * o.radius; }),
         Shapes::make<Box>("box", "a square one",
                           [](const Box& o, double s) { return s * static_cast<double>(o.width * o.height); }),
         Shapes::make<NoOptions>("point", "nothing", [](const NoOptions&, double) { return 0.0; })});
    return table;
}

// Names of fields in the order of the listing; sets every integer to 7.
struct Names final : Visitor {
    std::string seen;
    void note(const char* name) { seen += std::string(seen.empty() ? "" : " ") + name; }
    void integer(const char* name, int64_t& value, Bounds<int64_t>, const char*) override {
        note(name);
        value = 7;
    }
    void number(const char* name, double&, Bounds<double>, const char*) override { note(name); }
    void flag(const char* name, bool&, const char*) override { note(name); }
    void text(const char* name, std::string&, const char*) override { note(name); }
    void choice(const char* name, std::string&, std::vector<std::string>, const char*) override { note(name); }
    void path(const char* name, std::string&, const char*) override { note(name); }
    void paths(const char* name, std::vector<std::string>&, const char*) override { note(name); }
    void numbers(const char* name, std::vector<double>&, Bounds<double>, bool, const char*) override { note(name); }
    void selection(const char* name, Selection& value, const char*) override {
        note(name);
        value.options().fields(*this);
    }
    void pattern(const char* name, Pattern&, const char*) override { note(name); }

  protected:
    void nested(const char* name, FunctionRef<void(Visitor&)> fields, const char*) override {
        note(name);
        fields(*this);
    }
};

struct Drawing {
    Box frame;
    Selection shape{shapes(), "circle"};
    void fields(Visitor& v) {
        v.object("frame", frame, "around it");
        v.selection("shape", shape, "inside it");
    }
};

}  // namespace

TEST_SUITE("options") {
    TEST_CASE("a table lists its rows and builds from a selection") {
        CHECK(shapes().names() == std::vector<std::string>{"circle", "box", "point"});
        CHECK(std::string(shapes().kind()) == "shape");
        CHECK(std::string(shapes().key()) == "type");
        CHECK(std::string(shapes().help("box")) == "a square one");
        CHECK(shapes().has("box"));
        CHECK_FALSE(shapes().has("bo"));
        const auto& all = all_seams();
        CHECK(std::count(all.begin(), all.end(), static_cast<const Seam*>(&shapes())) == 1);

        Selection s(shapes(), "box");
        CHECK(s.name() == "box");
        CHECK(&s.seam() == &shapes());
        CHECK(shapes().build(s, 10) == 60);
        s.as<Box>().width = 5;
        CHECK(shapes().build(s, 10) == 150);
        s.choose("circle");
        CHECK(shapes().build(s, 1) == 3);
        s.choose("box");  // with its defaults again
        CHECK(shapes().build(s, 1) == 6);
        CHECK(shapes().build(Selection(shapes(), "point"), 1) == 0);
    }

    TEST_CASE("building refuses a number outside of its bounds, but not the 0 that stands for a word") {
        using Figures = Table<std::unique_ptr<Figure>()>;
        const Figures table("figure", {Figures::row<Parted, Ring>("ring", "in parts")}, "type", Listed::no);
        const auto message = [&](int64_t parts, double gap) -> std::string {
            Selection ring(table, "ring");
            ring.as<Ring>() = {parts, gap};
            try {
                return table.build(ring) ? "built" : "";
            } catch (const Error& e) {
                return e.what();
            }
        };
        CHECK(message(0, 0.5) == "built");
        CHECK(message(8, 1) == "built");
        CHECK(message(9, 1) == "figure ring: parts out of range: parts 9, allowed 1 to 8");
        CHECK(message(-1, 1) == "figure ring: parts out of range: parts -1, allowed 1 to 8");
        CHECK(message(1, 0) == "figure ring: gap out of range: gap 0, allowed 0.25 to 1");
        CHECK(message(1, std::nan("")) == "figure ring: gap out of range: gap nan, allowed 0.25 to 1");
    }

    TEST_CASE("the second precision's table of a seam is accepted once, with the same rows, and not listed") {
        const auto row = [](const char* name) {
            return Shapes::make<NoOptions>(name, "planted", [](const NoOptions&, double x) { return x; });
        };
        const auto listed = [](const char* kind) {
            return std::count_if(all_seams().begin(), all_seams().end(),
                                 [&](const Seam* s) { return std::string_view(s->kind()) == kind; });
        };
        // They stay registered for the life of the process, so they live as long.
        static const Shapes first("planted", {row("a"), row("b")});
        CHECK(listed("planted") == 1);
        CHECK_THROWS_AS(Shapes("planted", {row("a")}), MachineError);  // other rows
        CHECK_THROWS_AS(Shapes("planted", {row("a"), row("b")}, "other"), MachineError);
        CHECK_THROWS_AS(Shapes("planted", {row("a"), row("b")}, "type", Listed::yes, "a"), MachineError);
        static const Shapes second("planted", {row("a"), row("b")});
        CHECK(listed("planted") == 1);
        CHECK(std::find(all_seams().begin(), all_seams().end(), &second) == all_seams().end());
        CHECK_THROWS_AS(Shapes("planted", {row("a"), row("b")}), MachineError);  // a third
    }

    TEST_CASE("a table may have a row that is meant where none is named") {
        const auto point = [] {
            return std::vector<Shapes::Row>{Shapes::make<NoOptions>("point", "", [](const NoOptions&, double) { return 0.0; })};
        };
        CHECK(shapes().fallback() == nullptr);
        CHECK(std::string(Shapes("shape", point(), "type", Listed::no, "point").fallback()) == "point");
        CHECK_THROWS_WITH_AS(Shapes("shape", point(), "type", Listed::no, "pint"),
                             "seam 'shape': the fallback is no row: 'pint'", MachineError);
    }

    TEST_CASE("a pattern: layers repeat their list, heads the list in it") {
        const Selection a(shapes(), "circle"), b(shapes(), "box"), c(shapes(), "point");
        const Pattern one = a;
        CHECK(one.uniform());
        CHECK(one.at(0, 0).name() == "circle");
        CHECK(one.at(7, 5).name() == "circle");

        const Pattern layers({{a}, {b}, {c}});
        CHECK(layers.layers_differ());
        CHECK_FALSE(layers.heads_differ());
        CHECK(layers.at(4, 9).name() == "box");
        CHECK(layers.at(5, 0).name() == "point");

        const Pattern heads({{a, b}, {c}});
        CHECK(heads.layers_differ());
        CHECK(heads.heads_differ());
        CHECK(heads.at(2, 3).name() == "box");
        CHECK(heads.at(3, 3).name() == "point");
        CHECK(heads.first().name() == "circle");
        CHECK(&heads.seam() == &shapes());
        CHECK_THROWS_AS((void)heads.at(-1, 0), MachineError);
        CHECK_THROWS_AS((void)heads.at(0, -1), MachineError);
        CHECK_THROWS_WITH_AS(Pattern(shapes(), "bux"),
                             "shape: unknown name 'bux'; did you mean 'box'? known: circle, box, point", Error);
        CHECK_THROWS_AS(Pattern(std::vector<Pattern::Layer>{}), MachineError);
        CHECK_THROWS_AS(Pattern(std::vector<Pattern::Layer>{{a}, {}}), MachineError);
        const Shapes other("shape", {Shapes::make<Round>("circle", "", [](const Round&, double s) { return s; })}, "type",
                           Listed::no);
        CHECK_THROWS_AS(Pattern({{a}, {Selection(other, "circle")}}), MachineError);
    }

    TEST_CASE("a pattern is stored in its shortest form, so that equal ones are equal") {
        Selection a(shapes(), "box"), b(shapes(), "box");
        b.as<Box>().width = 9;
        CHECK(Pattern({{a}, {a}, {a}}).uniform());
        CHECK(Pattern({{a, a}, {a}}) == Pattern(a));
        CHECK(Pattern({{a}, {b}, {a}, {b}}) == Pattern({{a}, {b}}));
        CHECK(Pattern({{a, b}, {a, b, a, b}}) == Pattern({{a, b}}));
        CHECK(Pattern({{a}, {b}, {a}}).layers().size() == 3);
        CHECK_FALSE(Pattern({{a}, {b}}) == Pattern({{b}, {a}}));
        CHECK_FALSE(Pattern({{a}, {b}}) == Pattern({{a, b}}));
        CHECK_FALSE(Pattern(a) == Pattern(b));

        CHECK(text_of(Pattern(a)) == "box {width 2, height 3}");
        CHECK(text_of(Pattern({{a, b}, {a}})) ==
              "[[box {width 2, height 3}, box {width 9, height 3}], box {width 2, height 3}]");
        struct Stack {
            Pattern shapes;
            void fields(Visitor& v) { v.pattern("shapes", shapes, "of the stack"); }
        };
        using Stacks = Table<int()>;
        const Stacks table("stack",
                           {{"stack", "",
                             [&] {
                                 return std::make_unique<OptionsOf<Stack>>(Stack{Pattern({{a}, {b}})});
                             },
                             [](const Selection&) { return 1; }}},
                           "type", Listed::no);
        const Selection stack(table, "stack");
        CHECK(text_of(stack) == "stack {shapes [box {width 2, height 3}, box {width 9, height 3}]}");
        registry::require_bounds(stack);
    }

    TEST_CASE("a pattern of more elements than there are layers or heads is refused") {
        const Selection a(shapes(), "circle"), b(shapes(), "box");
        Pattern({{a}, {b}}).require_used(2, 1, "stack");
        Pattern({{a}, {a}, {a}}).require_used(1, 1, "stack");
        Pattern({{a, b}, {a}}).require_used(3, 2, "stack");
        CHECK_THROWS_WITH_AS(Pattern({{a}, {b}, {a}}).require_used(2, 8, "stack"),
                             "stack: a list of more layers than there are: elements 3, layers 2", Error);
        CHECK_THROWS_WITH_AS(Pattern({{a}, {a, b}}).require_used(2, 1, "stack"),
                             "stack: a list of more heads than there are: layer 1, elements 2, heads 1", Error);
    }

    TEST_CASE("selections are values: copies are independent") {
        Selection a(shapes(), "box"), b = a;
        b.as<Box>().width = 50;
        CHECK(a.as<Box>().width == 2);
        a = b;
        b.as<Box>().width = 1;
        CHECK(a.as<Box>().width == 50);
        const Selection& self = a;
        a = self;
        CHECK(a.as<Box>().width == 50);
    }

    TEST_CASE("unknown names are refused with the nearest one and the list, and change nothing") {
        CHECK_THROWS_WITH_AS(Selection(shapes(), "cricle"),
                             "shape: unknown name 'cricle'; did you mean 'circle'? known: circle, box, point", Error);
        CHECK_THROWS_WITH_AS(shapes().help("hyperboloid"), "shape: unknown name 'hyperboloid'; known: circle, box, point",
                             Error);
        Selection s(shapes(), "box");
        s.as<Box>().width = 9;
        CHECK_THROWS_AS(s.choose("bux"), Error);
        CHECK(s.name() == "box");
        CHECK(s.as<Box>().width == 9);
        CHECK_THROWS_WITH_AS(s.as<Round>(), "shape 'box': its options were asked for as another struct", MachineError);
    }

    TEST_CASE("a visitor walks the listing in order, into objects and selections, and may write") {
        Drawing d;
        Names names;
        d.fields(names);
        CHECK(names.seen == "frame width height shape radius");
        CHECK(d.frame.width == 7);
        CHECK(shapes().defaults("box")->copy() != nullptr);
        CHECK(Box{}.width == 2);
    }

    TEST_CASE("the nearest name: swaps, slips and missing letters are near, other words are not") {
        const std::vector<std::string> known = {"learning_rate", "weight_decay", "betas", "lr"};
        CHECK(nearest_name("learing_rate", known) == "learning_rate");
        CHECK(nearest_name("laerning_rate", known) == "learning_rate");
        CHECK(nearest_name("learningrate", known) == "learning_rate");
        CHECK(nearest_name("beats", known) == "betas");
        CHECK(nearest_name("wieght_deacy", known) == "weight_decay");
        CHECK(nearest_name("momentum", known).empty());
        CHECK(nearest_name("xy", known).empty());
        CHECK(nearest_name("", known).empty());
        CHECK(nearest_name(std::string(100'000, 'x'), known).empty());
        CHECK(nearest_name("anything", {}).empty());
        // other words are no misspellings
        CHECK(nearest_name("local", {"global", "causal"}).empty());
        CHECK(nearest_name("lr", {"l1", "rho"}).empty());
        CHECK(nearest_name("attention", {"retention"}).empty());
        CHECK(nearest_name("sum", {"rnn", "gru"}).empty());
        CHECK(nearest_names("gobal", {"global", "local"}) == std::vector<std::string>{"global"});
        CHECK(nearest_name("scedlue", {"schedule"}) == "schedule");
        CHECK(nearest_name("hadr", {"hard", "soft"}) == "hard");
        // a name that was not written to its end
        CHECK(nearest_names("local", {"global", "local_m", "local_p"}) == std::vector<std::string>{"local_m", "local_p"});
        CHECK(nearest_name("tri", {"triangular"}).empty());
    }
}

}  // namespace options_test
