use super::reader::{ATTRIBUTES_MAX, DEPTH_MAX, ELEMENTS_MAX};
use super::*;

fn error(text: &str) -> XmlError {
    Document::read(text).err().expect("an error is expected")
}

#[test]
fn elements_attributes_and_text_are_found() {
    let text = "<?xml version='1.0'?>\n<!-- <a> -->\n<x:MPD xmlns:x=\"u\" id = 'a&amp;b' x:href=\" y \">\n\
                <BaseURL>\n a/&lt;&#x41;&#66;&nope; </BaseURL><S t=\"1\"/><S t=\"2\"></S>\
                <T><![CDATA[a&b]]></T></x:MPD>\n";
    let document = Document::read(text).expect("the text is XML");
    let root = document.root();
    assert_eq!((root.name(), root.line()), ("MPD", 3));
    assert_eq!(root.attribute("id").as_deref(), Some("a&b"));
    assert_eq!(root.prefixed("href").as_deref(), Some("y"));
    assert_eq!(root.attribute("href"), None);
    let names: Vec<_> = root.children().map(Element::name).collect();
    assert_eq!(names, ["BaseURL", "S", "S", "T"]);
    assert_eq!(
        root.child("BaseURL").map(Element::text),
        Some("a/<AB&nope;")
    );
    assert_eq!(root.child("T").map(Element::text), Some("a&b"));
    let times: Vec<_> = root.all("S").filter_map(|it| it.attribute("t")).collect();
    assert_eq!(times, ["1", "2"]);
}

#[test]
fn what_is_no_xml_is_refused_where_it_ends() {
    let cases = [
        ("", 0, "one element"),
        ("<a>", 3, "the end of the element; the text may be cut off"),
        ("<a></b>", 3, "the end of the element that began last"),
        ("<a/><b/>", 4, "nothing after the end of the document"),
        ("<a/>x", 4, "one element"),
        ("x<a/>", 0, "an element"),
        ("<a b></a>", 4, "="),
        ("<a b=c/>", 5, "a value in quotes"),
        ("<a b=\"<\"/>", 5, "the end of the value, \""),
        ("<a b='/>", 5, "the end of the value, '"),
        ("<a", 2, "a name"),
        ("<1/>", 1, "a name"),
        ("<a><!-- -></a>", 3, "the end of the comment, -->"),
    ];
    for (text, offset, expected) in cases {
        assert_eq!(error(text), XmlError { offset, expected }, "{text}");
    }
}

#[test]
fn bombs_are_refused() {
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
    assert!(error(bomb).expected.contains("document types"));
    let deep = "<a>".repeat(DEPTH_MAX + 1);
    assert!(error(&deep).expected.contains("nested"));
    let wide = format!("<a {}/>", "b='' ".repeat(ATTRIBUTES_MAX + 2));
    assert!(error(&wide).expected.contains("attributes"));
    let many = format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX));
    assert!(error(&many).expected.contains("fewer elements"));
}
