<?php
// Usage: php tcpdf.php LINES PDF FONT; the font is TCPDF's own DejaVu.
require_once '/usr/share/php/tcpdf/tcpdf.php';
$pdf = new TCPDF();
$pdf->setPrintHeader(false);
$pdf->setPrintFooter(false);
$pdf->setFontSubsetting(true);
$pdf->setRTL(true);
$pdf->setFont('dejavusans', '', 13);
$pdf->addPage();
foreach (file($argv[1], FILE_IGNORE_NEW_LINES) as $line) {
    $pdf->Cell(0, 9, $line, 0, 1, 'R');
}
$pdf->Output(realpath(dirname($argv[2])) . '/' . basename($argv[2]), 'F');
