"""Messages as their sources state them: joined as Python joins, holes where values go, and told apart by who prints them."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.sources.message import MessageKind, MessageTemplate, joined
from triage.sources.templates import MAX_SOURCE, MAX_TEXT, message_templates


def templates(source: str) -> tuple[MessageTemplate, ...]:
    return message_templates(textwrap.dedent(source), "pkg/module.py")


def only(source: str) -> MessageTemplate:
    (found,) = templates(source)
    return found


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'no memory ' 'left'", "no memory left"),
        ("'no memory ' + 'left'", "no memory left"),
        ("('no memory '\n 'left')", "no memory left"),
        ("f'rank {rank} of {size}: lost'", "rank {} of {}: lost"),
        ("f'rank {rank=} lost'", "rank rank={} lost"),
        ("f'rank {rank:>4} lost {{now}}'", "rank {} lost {now}"),
        ("f'rank {\"zero\"} lost'", "rank zero lost"),
        ("'rank ' f'{rank}' ' lost'", "rank {} lost"),
        ("'rank ' + str(rank) + ' lost'", "rank {} lost"),
        ("name + ' lost'", "{} lost"),
        ("'rank %d of %(size)s at 100%%' % values", "rank {} of {} at 100%"),
        ("'rank {} of {size:d}, {{now}}'.format(rank, size=size)", "rank {} of {}, {now}"),
        ("'rank { lost'.format(rank)", "rank { lost"),
        ("', '.join(['first rank', name, 'last rank'])", "first rank, {}, last rank"),
        ("' and '.join(names) + ' lost'", "{} lost"),
        ("'  rank lost '.strip()", "  rank lost "),
        ("'=' * 80 + 'rank lost'", "{}rank lost"),
        (r"'first\nsecond\tthird'", "first\nsecond\tthird"),
    ],
)
def test_texts_are_joined_as_python_joins_them(expression: str, text: str) -> None:
    """Every way to put a text together gives its constant parts, and one hole for each value between them."""
    found = templates(f"raise ValueError({expression})")
    assert found[0].text == text
    assert found[0].kind is MessageKind.RAISE


@pytest.mark.parametrize(
    ("statement", "kind", "printer"),
    [
        ("raise ValueError('the pool is empty')", MessageKind.RAISE, "ValueError"),
        ("raise errors.PoolEmpty('the pool is empty') from cause", MessageKind.RAISE, "PoolEmpty"),
        ("raise HTTPException(400, detail='the pool is empty')", MessageKind.RAISE, "HTTPException"),
        ("raise ValueError(shorten('the pool is empty'))", MessageKind.RAISE, "ValueError"),
        ("future.set_exception(KVError('the pool is empty'))", MessageKind.RAISE, "KVError"),
        ("assert free > 0, 'the pool is empty'", MessageKind.ASSERT, "AssertionError"),
        ("logger.warning('the pool is empty')", MessageKind.LOG, "warning"),
        ("self.log.exception('the pool is empty')", MessageKind.LOG, "exception"),
        ("log_info_on_rank0(logger, 'the pool is empty')", MessageKind.LOG, "log_info_on_rank0"),
        ("warnings.warn('the pool is empty', UserWarning)", MessageKind.LOG, "warn"),
        ("print('the pool is empty', file=sys.stderr)", MessageKind.PRINT, "print"),
        ("message = 'the pool is empty'", MessageKind.STRING, ""),
        ("send('the pool is empty')", MessageKind.STRING, ""),
        ("error('the pool is empty')", MessageKind.STRING, ""),
    ],
)
def test_kinds(statement: str, kind: MessageKind, printer: str) -> None:
    """A text belongs to what raises, logs or prints it, however deep it stands in the call; else it is a string."""
    found = only(statement)
    assert (found.kind, found.printer, found.parts) == (kind, printer, ("the pool is empty",))


def test_both_texts_of_a_choice() -> None:
    """Of a conditional message both texts are raised."""
    found = templates("raise ValueError('the pool is empty' if full else 'the pool is gone')")
    assert [(item.kind, item.text) for item in found] == [
        (MessageKind.RAISE, "the pool is empty"),
        (MessageKind.RAISE, "the pool is gone"),
    ]


def test_place() -> None:
    """A template knows its file, the line its text begins in, and the innermost function as a traceback names it."""
    found = templates(
        """
        logger.info("at the top level")
        class Pool:
            def take(self):
                async def inner():
                    raise ValueError(
                        f"nothing {left}"
                    )
                assert left, "take something"
        """
    )
    assert [(item.path, item.line, item.function) for item in found] == [
        ("pkg/module.py", 2, "<module>"),
        ("pkg/module.py", 7, "inner"),
        ("pkg/module.py", 9, "take"),
    ]


def test_a_string_in_a_hole_is_a_string() -> None:
    """What stands inside of a hole is no part of the message, and not raised by itself."""
    found = templates("raise ValueError(f'lost: {names.get(key, \"nobody at all\")}')")
    assert [(item.kind, item.text) for item in found] == [
        (MessageKind.RAISE, "lost: {}"),
        (MessageKind.STRING, "nobody at all"),
    ]


def test_logging_formats_only_what_has_arguments() -> None:
    """Percent signs are fields where values follow, and stand for themselves where none does."""
    assert only("logger.info('took %d%% of %s', share, name)").parts == ("took ", None, "% of ", None)
    assert only("logger.info('took 100% of it, %s')").parts == ("took 100% of it, %s",)


def test_a_string_may_be_formatted_elsewhere() -> None:
    """What looks like a field in a mere string is a hole, in both styles; a brace or a percent sign alone is not."""
    assert only("FORM = 'rank {rank} of {size:d} lost %s'").text == "rank {} of {} lost {}"
    assert only("""FORM = '{"rank": 1} is 100% certain, 5%d'""").text == """{"rank": 1} is 100% certain, 5{}"""


def test_what_is_never_printed() -> None:
    """Docstrings, comments, short strings and texts without a letter are no messages."""
    source = '''
        """A docstring of the module that is long enough."""
        # a comment that is long enough
        class Pool:
            """A docstring of the class that is long enough."""
            def take(self, key="cuda"):
                """A docstring of the function that is long enough."""
                "a string that nobody uses"
                print("-----")
                raise
        '''
    assert templates(source) == ()


def test_lines_of_a_template() -> None:
    """A message of several lines is read line by line; holes stay in their lines, lines without constant text go."""
    found = only(r"raise ValueError(f'first {a}\n{b}\n\nlast{c}\n')")
    assert list(found.lines()) == [("first ", None), ("last", None)]


def test_joined_has_no_neighbours_of_a_kind() -> None:
    """Neighbouring texts and neighbouring holes are one, and an empty text is none."""
    assert joined(["a", "", "b", None, "", None, "c"]) == ("ab", None, "c")


def test_order_is_that_of_the_file() -> None:
    """Templates come in the order of their lines."""
    found = templates("x = f(g('inner text', 1), 'outer text')\nprint('second line')\nprint('third line')")
    assert [item.line for item in found] == sorted(item.line for item in found)
    assert found[-1].text == "third line"


@pytest.mark.parametrize(
    "source",
    ["print 'old syntax'", "def (", "x = '\0'", "(" * 5000, "x = " + "-" * 50_000 + "1", "'" + "x" * MAX_SOURCE + "'"],
    ids=["python 2", "half a def", "nul", "brackets", "signs", "too long"],
)
def test_what_cannot_be_parsed_is_told(source: str) -> None:
    """Old syntax, nonsense, depth and excess are one kind of error, and none of them ends the process."""
    with pytest.raises(ValueError, match=r"parsed|longer|null|deep"):
        message_templates(source, "m.py")


def test_long_sums_are_read_or_refused() -> None:
    """A sum of texts too long for the recursion of Python is a ValueError and nothing else."""
    source = "x = " + " + ".join(["'some text'"] * 20_000)
    try:
        found = message_templates(source, "m.py")
    except ValueError:
        return
    assert found[0].text.startswith("some textsome text")


def test_a_document_is_no_message() -> None:
    """A text above MAX_TEXT is left out."""
    assert templates(f"x = '{'word ' * (MAX_TEXT // 5 + 1)}'") == ()
    assert len(templates(f"x = '{'word ' * (MAX_TEXT // 5)}'")) == 1


def test_a_byte_order_mark_and_odd_escapes() -> None:
    """A BOM does not stop the parser, and its opinion of escapes (a warning, an error in these tests) is not asked."""
    assert message_templates("\ufeffprint('the \\d is odd')", "m.py")[0].text == "the \\d is odd"


def test_nothing_is_run() -> None:
    """The source is data: what it would do does not happen."""
    source = "raise SystemExit('not this time')\nopen('/nonexistent/file')\nimport sglang_that_does_not_exist"
    assert templates(source)[0].text == "not this time"


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text raises anything but ValueError."""
    try:
        message_templates(text, "m.py")
    except ValueError:
        return


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=50).filter(lambda text: any(map(str.isalpha, text))))
def test_a_constant_comes_back_as_it_is(text: str) -> None:
    """Whatever a raised constant holds, its template holds the same."""
    assert only(f"raise ValueError({text!r})").parts == (text,)
