// Usage: node jspdf.cjs LINES PDF FONT
const fs = require("fs");
const { jsPDF } = require("jspdf");

const [lines, out, font] = process.argv.slice(2);
const pdf = new jsPDF();
pdf.addFileToVFS("font.ttf", fs.readFileSync(font).toString("base64"));
pdf.addFont("font.ttf", "F", "normal");
pdf.setFont("F");
pdf.setFontSize(13);
fs.readFileSync(lines, "utf-8").split("\n").forEach((line, nth) => {
  pdf.text(line, 195, 20 + 9 * nth, { align: "right" });
});
fs.writeFileSync(out, Buffer.from(pdf.output("arraybuffer")));
