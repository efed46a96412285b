from __future__ import annotations

import pytest

from rag import glossary

KNOWN = ["Altman", "Musk", "Orion", "Google", "Imagen", "Claude", "Sutskever"]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("وصف ألتمان ماسك بأنه متنمر.", "وصف Altman Musk بأنه متنمر."),
        ("قال سوتسكيفر لجوجل إن أوريون بطيء.", "قال Sutskever ل Google إن Orion بطيء."),
        ("بلغت 6.6 مليار دولار و500 مليون مستخدم.", "بلغت 6.6 billion دولار و500 million مستخدم."),
        ("في 17 كانون الأول (ديسمبر)", "في 17 December"),
        ("أكثر من دقيقتين في أغسطس", "أكثر من 2 minutes في August"),
        ("مدتها 8 ثوانٍ بعد 18 شهرًا", "مدتها 8 seconds بعد 18 months"),
        ("في دورتين، 1 ساعة لكل 107 صفحات", "في 2 دورة، 1 hour لكل 107 صفحات"),
        # Alike in consonants, and no names.
        ("يمكن أن يأتي خالد.", "يمكن أن يأتي خالد."),
        ("No Arabic at all.", "No Arabic at all."),
    ],
)
def test_what_is_alike_in_every_language_is_put_into_latin(sentence, expected):
    assert glossary.in_latin(sentence, KNOWN) == expected


def test_nothing_known_leaves_names_as_they_are():
    assert glossary.in_latin("قال ألتمان.", []) == "قال ألتمان."


def test_names_come_once_and_as_first_written():
    texts = ["Who is Sam Altman?", "قال Altman إن OpenAI", "ALTMAN and no other"]
    assert glossary.names(texts) == ["Who", "Sam", "Altman", "OpenAI"]
